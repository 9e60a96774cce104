"""Messages in Django admin, to read and to delete."""

from collections.abc import Iterable

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chat.admin.forms import BriefQuestion
from chat.models import Message
from chat.services import moderation


def may_read(request: HttpRequest) -> bool:
    """Whether an account may read messages; rooms are another permission."""
    return request.user.has_perm("chat.view_message")


@admin.register(Message)
class MessageAdmin(BriefQuestion):
    """Messages, which admins can read and delete but not change."""

    list_display = ("room", "seq", "nickname", "text", "sent_at")
    list_select_related = ("room",)
    search_fields = ("text", "nickname")
    date_hierarchy = "sent_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).filter(room__deleted_at=None)

    def log_selected(self, request: HttpRequest, queryset: QuerySet[Message], count: int) -> None:
        _log_erased(request, str(queryset.values_list("pk", flat=True).first()), count)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Message]) -> list[LogEntry]:
        return [_log_erased(request, str(message.pk), 1) for message in queryset]

    def delete_model(self, request: HttpRequest, message: Message) -> None:
        self.delete_queryset(request, Message.objects.filter(pk=message.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        # After the transaction, because the journal's thread would wait for its end.
        transaction.on_commit(lambda: self._delete(request, queryset))

    def _delete(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        if not async_to_sync(moderation.delete_soon)(queryset):
            messages.info(request, _("The messages are many, and are still being deleted."))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


def _log_erased(request: HttpRequest, pk: str, count: int) -> LogEntry:
    """Log a deletion without the text of the messages.

    The log must not keep erased text.
    """
    return LogEntry.objects.create(
        user_id=request.user.pk or 0,
        content_type_id=get_content_type_for_model(Message).pk,
        object_id=pk,
        object_repr=f"{count} × {Message._meta.verbose_name}",
        action_flag=DELETION,
    )
