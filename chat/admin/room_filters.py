"""The admin's list of rooms with live data, and its filters."""

from collections.abc import Iterable
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chat.models import Room
from chat.services import moderation
from chat.services.moderation import LiveRoom


def warn_of_redis(request: HttpRequest, live: Iterable[LiveRoom]) -> None:
    """Warn on the page if its live data may be untrue."""
    if not all(one.is_current for one in live):
        messages.warning(request, _("Redis does not answer: who is in the rooms now is not known."))


class LiveChangeList(ChangeList):
    """A page of rooms, with live data that one call reads for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = async_to_sync(moderation.live)([room.key for room in self.result_list])
        for room in self.result_list:
            room.live = found[room.key]
        warn_of_redis(request, found.values())


class OpenNow(admin.SimpleListFilter):
    """Filter by whether people are in the room."""

    title = _("people in it")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> QuerySet[Room]:
        if self.value() not in ("yes", "no"):
            return queryset
        keys = async_to_sync(moderation.live_keys)()
        return (queryset.filter if self.value() == "yes" else queryset.exclude)(key__in=keys)


class IsClosed(admin.SimpleListFilter):
    """Filter by whether an admin has closed the room."""

    title = _("closed")
    parameter_name = "closed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> QuerySet[Room]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(closed_at__isnull=self.value() == "no")
