"""Rooms in Django admin; every action goes through the services."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.urls.resolvers import URLPattern
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from chat.admin import confirmation
from chat.admin.confirmation import Question
from chat.admin.forms import BriefQuestion, ChangedOnly
from chat.admin.live_pages import LivePages
from chat.admin.messages import may_read
from chat.admin.room_filters import IsClosed, LiveChangeList, OpenNow, warn_of_redis
from chat.errors import Unavailable
from chat.forms import RoomForm
from chat.models import Ban, Message, Room
from chat.services import moderation
from chat.services.moderation import LiveRoom
from chat.storage import transcript

LATEST_MESSAGES = 50


@admin.register(Room)
class RoomAdmin(LivePages, ChangedOnly, BriefQuestion):
    """Rooms with live data, the newest first."""

    goes_with = ((Message, "room"), (Ban, "room"))

    form = RoomForm
    list_display = ("name", "key", "people", "in_call", "since", "process", "listed", "closed_at")
    list_filter = (OpenNow, IsClosed, "listed")
    search_fields = ("name", "key")
    date_hierarchy = "created_at"
    readonly_fields = ("key", "host", "created_at", "closed_at", "last_seq")
    actions = ("close_rooms", "reopen_rooms", "end_calls", "clear_rooms")
    change_form_template = "admin/chat/room/change_form.html"
    change_list_template = "admin/chat/room/change_list.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LiveChangeList

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the first person who enters makes the room

    @admin.display(description=_("people"))
    def people(self, room: Any) -> int:
        return len(room.live.people)

    @admin.display(description=_("in call"))
    def in_call(self, room: Any) -> int:
        return int(room.live.in_call)

    @admin.display(description=_("since"))
    def since(self, room: Any) -> Any:
        return room.live.since

    @admin.display(description=_("process"))
    def process(self, room: Any) -> str:
        return ", ".join(room.live.processes)

    @admin.action(permissions=["change"], description=_("Close the rooms and send everyone out"))
    def close_rooms(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        done = gettext_noop("closed the room")
        return self._each(request, queryset, moderation.close, done, confirmation.CLOSE)

    @admin.action(permissions=["change"], description=_("Reopen the rooms"))
    def reopen_rooms(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        return self._each(request, queryset, moderation.reopen, gettext_noop("reopened the room"))

    @admin.action(
        permissions=["change"], description=_("End the calls; everyone stays in the room")
    )
    def end_calls(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        done = gettext_noop("ended the call")
        return self._each(request, queryset, moderation.end_call, done, confirmation.END_CALL)

    @admin.action(permissions=["delete"], description=_("Delete all messages of the rooms"))
    def clear_rooms(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        done = gettext_noop("deleted all messages")
        return self._each(request, queryset, moderation.clear, done, confirmation.CLEAR)

    def _each(
        self,
        request: HttpRequest,
        rooms: Iterable[Room],
        act: Callable[[str], Any],
        words: str,
        question: Question | None = None,
    ) -> HttpResponse | None:
        """Apply an action to each room and log it; first ask its question, if any."""
        if question and not confirmation.answered(request):
            return confirmation.page(request, question, rooms)
        for room in rooms:
            is_done = async_to_sync(act)(room.key) is not False
            self.log_change(request, room, words)
            messages.success(request, f"{room}: {gettext(words)}.")
            if not is_done:
                messages.info(request, _("The messages are many, and are still being deleted."))
        return None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        return super().get_queryset(request).filter(deleted_at=None)

    def delete_model(self, request: HttpRequest, room: Room) -> None:
        # After the admin's transaction, because another thread would wait for its end.
        transaction.on_commit(lambda: self._delete(request, room))

    def _delete(self, request: HttpRequest, room: Room) -> None:
        if not async_to_sync(moderation.delete)(room.key):
            messages.info(request, _("The messages are many, and are still being deleted."))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        for room in queryset:
            self.delete_model(request, room)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/do/<str:action>/", wrap(self.do), name="chat_room_do"),
            path("<int:pk>/remove/<str:who>/", wrap(self.remove), name="chat_room_remove"),
            path("<int:pk>/transcript.<str:kind>", wrap(self.export), name="chat_room_export"),
        ]
        return own + super().get_urls()  # includes those of LivePages

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        room = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if room is not None:
            live = async_to_sync(moderation.live)([room.key])[room.key]
            warn_of_redis(request, [live])
            context |= {"people": _rows(live), "live": live, "may_read": may_read(request)}
            context["latest"] = _latest(room) if may_read(request) else []
        return super().change_view(request, object_id, form_url, context)

    def do(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """Run an action of the list for one room, from a button on its page."""
        allowed = self.get_actions(request).get(action)
        if request.method != "POST" or allowed is None or action not in self.actions:
            raise PermissionDenied
        get_object_or_404(Room, pk=pk)
        act = cast(Callable[..., HttpResponse | None], allowed[0])
        asked = act(self, request, Room.objects.filter(pk=pk))
        return asked or redirect(reverse("admin:chat_room_change", args=[pk]))

    def remove(self, request: HttpRequest, pk: int, who: str) -> HttpResponse:
        """Remove one participant from a room."""
        return require_POST(self._remove)(request, pk, who)

    def _remove(self, request: HttpRequest, pk: int, who: str) -> HttpResponse:
        room = get_object_or_404(Room, pk=pk)
        if not self.has_change_permission(request, room):
            raise PermissionDenied
        if not confirmation.answered(request):
            people = async_to_sync(moderation.live)([room.key])[room.key].people
            named = [person.nickname for person in people if person.id == who]
            return confirmation.page(request, confirmation.REMOVE, named)
        try:
            removed = async_to_sync(moderation.remove)(room.key, who)
        except Unavailable:
            messages.error(request, _("Nobody was removed: Redis does not answer. Try again."))
            return redirect(reverse("admin:chat_room_change", args=[pk]))
        if removed:
            self.log_change(request, room, f"{gettext_noop('removed participant')}: {who[:12]}")
            messages.success(request, _("The participant was removed, and cannot come back."))
        else:
            messages.warning(request, _("The participant is not there any more."))
        return redirect(reverse("admin:chat_room_change", args=[pk]))

    def export(self, request: HttpRequest, pk: int, kind: str) -> StreamingHttpResponse:
        """Send the transcript of a room as a file."""
        room = get_object_or_404(Room, pk=pk)
        if not (self.has_view_permission(request, room) and may_read(request)):
            raise PermissionDenied
        if kind not in ("txt", "json"):
            raise Http404
        if kind == "json":
            said = transcript.as_json(pk, name=room.name, key=room.key)
            file = StreamingHttpResponse(said, content_type="application/json")
        else:
            said = transcript.as_text(pk)
            file = StreamingHttpResponse(said, content_type="text/plain; charset=utf-8")
        file["Content-Disposition"] = f'attachment; filename="transcript-{pk}.{kind}"'
        self.log_change(request, room, f"{gettext_noop('exported the transcript')}: {kind}")
        return file


def _rows(live: LiveRoom) -> list[dict[str, Any]]:
    return [
        {"person": person, "process": live.holders.get(person.id, "")} for person in live.people
    ]


def _latest(room: Room) -> list[Message]:
    return list(room.messages.order_by("-seq")[:LATEST_MESSAGES])


@admin.register(Ban)
class BanAdmin(BriefQuestion):
    """Browsers that may not enter a room."""

    list_display = ("nickname", "room", "created_at")
    list_select_related = ("room",)
    search_fields = ("nickname", "room__name", "room__key")
    actions = ("let_back_in",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # only the removal of a participant makes a ban

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.action(permissions=["delete"], description=_("Let back in"))
    def let_back_in(self, request: HttpRequest, queryset: QuerySet[Ban]) -> None:
        for ban in queryset:
            async_to_sync(moderation.let_back_in)(ban.pk)
            self.log_change(request, ban.room, f"{gettext_noop('let back in')}: {ban.nickname}")
            told = _("%(nickname)s may enter %(room)s again.")
            messages.success(request, told % {"nickname": ban.nickname, "room": ban.room})
