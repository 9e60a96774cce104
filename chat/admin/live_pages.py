"""Admin pages of the people in rooms now, and of announcements."""

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.urls.resolvers import URLPattern
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext

from chat.errors import Refused
from chat.models import Room
from chat.protocol.messages import MAX_TEXT_CHARS
from chat.services import moderation
from chat.storage.journal import JournalFull

MAX_PEOPLE = 1_000  # on one page; a search finds the rest


class AnnouncementForm(forms.Form):
    """The text of an announcement."""

    text = forms.CharField(
        label=_("Announcement"), max_length=MAX_TEXT_CHARS, widget=AdminTextareaWidget
    )


class LivePages(admin.ModelAdmin):  # type: ignore[type-arg]
    """Mixin for the admin of rooms."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("people/", wrap(self.people_page), name="chat_room_people"),
            path("announce/", wrap(self.announce_page), name="chat_room_announce_all"),
            path("<int:pk>/announce/", wrap(self.announce_page), name="chat_room_announce"),
        ]
        return own + super().get_urls()

    def people_page(self, request: HttpRequest) -> HttpResponse:
        """List everybody who is in a room now; `?q=` searches nicknames and rooms."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        query = request.GET.get("q", "").strip()
        found = async_to_sync(moderation.everyone)(query)
        context = {
            "title": _("People in rooms now"),
            "query": query,
            "rows": found[:MAX_PEOPLE],
            "count": len(found),
            "shown": min(len(found), MAX_PEOPLE),
        }
        return self._show(request, "admin/chat/room/people.html", context)

    def announce_page(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Show the form of an announcement, to one room or to all with people."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        room = None if pk is None else get_object_or_404(Room, pk=pk)
        form = AnnouncementForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and self._announce(request, room, form):
            args = [] if room is None else [room.pk]
            leads_to = "chat_room_changelist" if room is None else "chat_room_change"
            return redirect(reverse(f"admin:{leads_to}", args=args))
        keys = async_to_sync(moderation.live_keys)() if room is None else [room.key]
        title = _("Announce to all rooms") if room is None else _("Announce to this room")
        context = {"title": title, "form": form, "original": room, "rooms": len(keys)}
        return self._show(request, "admin/chat/room/announce.html", context)

    def _announce(self, request: HttpRequest, room: Room | None, form: AnnouncementForm) -> bool:
        keys = async_to_sync(moderation.live_keys)() if room is None else [room.key]
        try:
            count = async_to_sync(moderation.announce)(keys, form.cleaned_data["text"])
        except Refused:
            form.add_error("text", _("There is nothing to see in it."))
        except JournalFull:
            form.add_error(None, _("The server is busy. Try again in a moment."))
        else:
            self._log(request, room, keys)
            told = ngettext("Announced in %(count)s room.", "Announced in %(count)s rooms.", count)
            messages.success(request, told % {"count": count})
            return True
        return False

    def _log(self, request: HttpRequest, room: Room | None, keys: list[str]) -> None:
        rooms = [room] if room else Room.objects.filter(key__in=keys)
        for one in rooms:
            self.log_change(request, one, gettext_noop("announced something"))

    def _show(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, common | context)
