"""The welcome form: a nickname, and the room to enter."""

from django import forms
from django.utils.translation import gettext_lazy as _

from chat import names


class WelcomeForm(forms.Form):
    """What a person types to get into a room; after `is_valid` the names are clean."""

    nickname = forms.CharField(label=_("Nickname"), required=False, max_length=256)
    room = forms.CharField(label=_("Room"), max_length=256)
    unlisted = forms.BooleanField(label=_("Unlisted"), required=False)

    def clean_nickname(self) -> str:
        return names.nickname(self.cleaned_data["nickname"])

    def clean_room(self) -> str:
        room = names.room_name(self.cleaned_data["room"])
        if not room:
            raise forms.ValidationError(_("A room needs a name that can be seen."))
        return room
