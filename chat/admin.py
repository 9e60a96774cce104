"""Rooms and messages in Django admin."""

from django.contrib import admin

from chat.models import Message, Room


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rooms, the newest first."""

    list_display = ("name", "key", "listed", "created_at", "closed_at", "last_seq")
    list_filter = ("listed", "closed_at")
    search_fields = ("name", "key")
    readonly_fields = ("key", "host", "created_at", "last_seq")


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was said: to read and to delete, not to change."""

    list_display = ("room", "seq", "nickname", "text", "sent_at")
    list_select_related = ("room",)
    search_fields = ("text", "nickname")
    date_hierarchy = "sent_at"

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False
