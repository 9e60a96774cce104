"""Deletion of expired data: messages, unused rooms, bans, sessions, logins, the admin's log.

Each kind goes in small transactions. One process of all that share a database does it in an hour.
"""

import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from chat.models import Ban, Chore, Message, Room
from chat.storage import database, deletions
from chat.storage.deletions import Tell

EVERY = timedelta(hours=1)  # between two rounds of all processes
PIECE = 100  # rows in one transaction

# The keys of the rooms with people in them.
LiveKeys = Callable[[], Awaitable[Collection[str]]]


async def run(tell: Tell, live_keys: LiveKeys) -> bool:
    """Delete expired data.

    Returns False, and does nothing, if another process has begun within the last hour.
    """
    if not await database.write_in_order(_claim):
        return False
    await deletions.finish_rooms()
    now = await database.query(database_now)
    await deletions.forget(tell, now)
    await _forget_rooms(now, live_keys)
    for rows in _old(now):
        await _forget_rows(rows)
    return True


def database_now() -> datetime:
    """The time of the database's clock, which all processes share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        (now,) = cursor.fetchone()
    if isinstance(now, str):  # SQLite
        return datetime.fromisoformat(now).replace(tzinfo=UTC)
    found: datetime = now
    return found


@transaction.atomic
def _claim() -> bool:
    """Claim the round, and return False if a process has begun one within the last hour."""
    now = database_now()
    chore, made = Chore.objects.get_or_create(name="retention", defaults={"begun_at": now})
    # One UPDATE decides between processes that claim at once.
    free = Chore.objects.filter(pk=chore.pk, begun_at__lte=now - EVERY)
    return made or bool(free.update(begun_at=now))


def _old(now: datetime) -> list[QuerySet[Any]]:
    """Expired rows whose deletion needs no event."""
    days = timedelta(days=1)
    return [
        Ban.objects.filter(created_at__lt=now - settings.BAN_RETENTION_DAYS * days),
        LogEntry.objects.filter(action_time__lt=now - settings.ADMIN_LOG_RETENTION_DAYS * days),
        AccessAttempt.objects.filter(
            attempt_time__lt=now - settings.FAILED_LOGIN_RETENTION_DAYS * days
        ),
        Session.objects.filter(expire_date__lt=now),
    ]


async def _forget_rows(rows: QuerySet[Any]) -> None:
    while True:
        began = time.monotonic()
        if not await database.delete(_delete_rows, rows):
            return
        await deletions.rest(time.monotonic() - began)


@transaction.atomic
def _delete_rows(rows: QuerySet[Any]) -> int:
    piece = list(rows.order_by("pk").values_list("pk", flat=True)[:PIECE])
    return int(rows.model._default_manager.filter(pk__in=piece).delete()[0])


async def _forget_rooms(now: datetime, live_keys: LiveKeys) -> None:
    """Delete old rooms without messages and without members."""
    limit = now - timedelta(days=settings.ROOM_RETENTION_DAYS)
    after = 0
    while True:
        began = time.monotonic()
        piece = await database.query(_empty_rooms, limit, after)
        if not piece:
            return
        after = piece[-1][0]
        live = set(await live_keys())
        pks = [pk for pk, key in piece if key not in live]
        await database.delete(_delete_empty, limit, pks)
        await deletions.rest(time.monotonic() - began)


def _empty(limit: datetime) -> QuerySet[Room]:
    """Rooms to delete. An admin's decisions stay: a closed room, a capacity, a ban."""
    said = Message.objects.filter(room=OuterRef("pk"))
    bans = Ban.objects.filter(room=OuterRef("pk"))
    decided = {"deleted_at": None, "closed_at": None, "capacity": None}
    rooms = Room.objects.filter(created_at__lt=limit, **decided)
    return rooms.exclude(Exists(said)).exclude(Exists(bans))


def _empty_rooms(limit: datetime, after: int) -> list[tuple[int, str]]:
    rooms = _empty(limit).filter(pk__gt=after).order_by("pk")
    return list(rooms.values_list("pk", "key")[:PIECE])


@transaction.atomic
def _delete_empty(limit: datetime, pks: list[int]) -> None:
    # Locked, because a message that is being written holds the row, and then the room is not empty.
    locked = Room.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    held = [room.pk for room in locked]
    _empty(limit).filter(pk__in=held).delete()
