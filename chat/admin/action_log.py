"""The action log of the admin, read-only, and the name of the site."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chat.templatetags.deeds import deed

admin.site.site_header = _("Noom administration")
admin.site.site_title = "Noom"
admin.site.index_title = _("Overview")


@admin.register(LogEntry)
class DeedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """All actions of all admins, the newest first."""

    list_display = ("action_time", "user", "what", "object_repr", "content_type")
    list_display_links = None
    # Only the users and types that the log has.
    list_filter = (
        ("user", admin.RelatedOnlyFieldListFilter),
        ("content_type", admin.RelatedOnlyFieldListFilter),
        "action_flag",
    )
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr", "change_message")
    date_hierarchy = "action_time"

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        return super().get_queryset(request).order_by("-action_time", "-pk")

    @admin.display(description=_("deed"))
    def what(self, entry: LogEntry) -> str:
        return deed(entry)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
