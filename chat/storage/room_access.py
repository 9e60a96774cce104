"""The two queries of entering a room, in SQL.

A thousand participants may enter at once, and a query that Django composes costs as much CPU as its
answer.
"""

from typing import NamedTuple

from django.db import connection

from chat.models import Room
from chat.names import keys
from chat.protocol.messages import HISTORY_LIMIT
from chat.storage import history
from chat.storage.history import Entries
from chat.tokens import ParticipantClaims

FIRST_MESSAGES = 50  # for a newcomer; a page asks for earlier ones by `history`
BACKLOG_BYTES = 64 * 1024  # of texts in the answer to entering; past that the answer is cut
FEW_MESSAGES, FEW_BYTES = 5, 4 * 1024  # of an answer past the budget, which is not refused

_SQL = """
SELECT id, name, listed, host, capacity,
       closed_at IS NOT NULL OR deleted_at IS NOT NULL, last_seq, epoch,
       EXISTS (SELECT 1 FROM chat_ban WHERE room_id = chat_room.id AND browser = %s)
FROM chat_room WHERE key = %s
"""


class RoomAccess(NamedTuple):
    """A room and the access of one browser to it."""

    id: int
    name: str
    listed: bool
    host: str
    capacity: int | None
    closed: bool
    last_seq: int
    epoch: str
    removed: bool  # the browser is banned from it


class SeenUntil(NamedTuple):
    """The last number that a page has of an epoch's journal.

    `last_seq` is None if the page has nothing. `epoch` is None for a program that knows no epochs.
    """

    last_seq: int | None
    epoch: str | None


def find_room(claims: ParticipantClaims) -> RoomAccess | None:
    """The room of an identity, or None if it does not exist yet."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [claims.browser, claims.key])
        row = cursor.fetchone()
    if row is None:
        return None
    found = RoomAccess(*row)
    # SQLite has no booleans.
    listed, closed, removed = map(bool, (found.listed, found.closed, found.removed))
    return found._replace(listed=listed, closed=closed, removed=removed)


def get_or_create_room(claims: ParticipantClaims) -> RoomAccess | None:
    """The room of an identity, made if it does not exist."""
    Room.objects.get_or_create(
        key=claims.key,
        defaults={
            "name": claims.room_name,
            "listed": not keys.is_unlisted(claims.key),
            "host": claims.browser,
        },
    )
    return find_room(claims)


def existing_key(key: str, older: str) -> str:
    """The key of a room's name: `older` for a room whose key was made before signs counted."""
    found = dict(Room.objects.filter(key__in=(key, older)).values_list("key", "name"))
    is_older = key not in found and older in found and keys.key_of_name(found[older]) == key
    return older if is_older else key


def backlog(room: RoomAccess, seen: SeenUntil, *, few: bool) -> Entries:
    """The entries that a page misses after `seen`.

    A page asks for the rest by `history`. With `few` the answer has at most FEW_MESSAGES, because
    the address of the page has used up its budget.
    """
    last_seq, epoch = seen
    head = room.last_seq
    if not head or (last_seq == head and epoch in (None, room.epoch)):
        return Entries([], [])
    rows, size = (FEW_MESSAGES, FEW_BYTES) if few else (HISTORY_LIMIT, BACKLOG_BYTES)
    if last_seq is None or epoch not in (None, room.epoch) or last_seq > head:
        return history.entries_before(room.id, None, head, min(rows, FIRST_MESSAGES), size)
    return history.entries_after(room.id, last_seq, head, rows, size)
