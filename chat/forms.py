"""The welcome form, and the form of a room in the admin."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.models import Room
from chat.names import cleaning


class WelcomeForm(forms.Form):
    """Nickname and room of a person; `is_valid` cleans both names."""

    nickname = forms.CharField(label=_("Nickname"), required=False, max_length=256)
    room = forms.CharField(label=_("Room"), max_length=256)
    listed = forms.BooleanField(label=_("Show in open rooms"), required=False)

    def clean_nickname(self) -> str:
        return cleaning.nickname(self.cleaned_data["nickname"], gettext("Anon"))

    def clean_room(self) -> str:
        return _visible_room_name(self.cleaned_data["room"])

    def clean_listed(self) -> bool:
        """Return the switch, or the server's default if it was not sent.

        A browser sends the switch in both positions; other programs may leave it out.
        """
        if "listed" not in self.data:
            return settings.LIST_ROOMS
        listed: bool = self.cleaned_data["listed"]
        return listed


class RoomForm(forms.ModelForm):  # type: ignore[type-arg]
    """Form of a room in the admin."""

    class Meta:
        model = Room
        fields = "__all__"  # noqa: DJ007 - RoomAdmin selects them

    def clean_name(self) -> str:
        return _visible_room_name(self.cleaned_data["name"])

    def clean_capacity(self) -> int | None:
        capacity: int | None = self.cleaned_data["capacity"]
        if capacity == 0:
            raise forms.ValidationError(
                _("Nobody could enter. Give 1 or more, or nothing for the server's setting.")
            )
        return capacity


def _visible_room_name(typed: str) -> str:
    room = cleaning.room_name(typed)
    if not room:
        raise forms.ValidationError(_("A room needs a name that can be seen."))
    return room
