"""What is asked of the database for each who enters: two questions, in SQL, because a thousand may
come at once and a query that Django puts together costs as much again as its answer."""

from typing import NamedTuple

from django.db import connection

from chat.models import Room
from chat.names import keys
from chat.protocol.messages import HISTORY_LIMIT
from chat.storage import history
from chat.storage.history import Entries
from chat.tokens import Identity

FIRST_MESSAGES = 50  # what a newcomer is shown at once
BACKLOG_BYTES = 64 * 1024  # of words, in the answer to entering
FEW_MESSAGES, FEW_BYTES = 5, 4 * 1024

_SQL = """
SELECT id, name, listed, host, capacity,
       closed_at IS NOT NULL OR deleted_at IS NOT NULL, last_seq, epoch,
       EXISTS (SELECT 1 FROM chat_ban WHERE room_id = chat_room.id AND browser = %s)
FROM chat_room WHERE key = %s
"""


class Doorway(NamedTuple):
    """A room as one browser finds it."""

    id: int
    name: str
    listed: bool
    host: str
    capacity: int | None
    closed: bool
    last_seq: int
    epoch: str
    removed: bool  # the browser was removed from it


class Seen(NamedTuple):
    """Up to which number a page has the journal of an epoch.

    `last_seq` is None if it has nothing, `epoch` if it is a program that knows of none.
    """

    last_seq: int | None
    epoch: str | None


def find(identity: Identity) -> Doorway | None:
    """The room of an identity; None if nobody has made it yet."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [identity.browser, identity.key])
        row = cursor.fetchone()
    if row is None:
        return None
    found = Doorway(*row)
    # SQLite knows no booleans.
    listed, closed, removed = map(bool, (found.listed, found.closed, found.removed))
    return found._replace(listed=listed, closed=closed, removed=removed)


def make(identity: Identity) -> Doorway | None:
    """The same, and it is made if need be."""
    Room.objects.get_or_create(
        key=identity.key,
        defaults={
            "name": identity.room_name,
            "listed": not keys.is_unlisted(identity.key),
            "host": identity.browser,
        },
    )
    return find(identity)


def settled(key: str, older: str) -> str:
    """The older key, if a room from before signs counted has it that would have this key now."""
    found = dict(Room.objects.filter(key__in=(key, older)).values_list("key", "name"))
    is_older = key not in found and older in found and keys.room_key(found[older]) == key
    return older if is_older else key


def backlog(room: Doorway, seen: Seen, *, few: bool) -> Entries:
    """What a page misses that has the journal as far as it says.

    A page asks for the rest by `history`. `few`: its address has read more than its share.
    """
    last_seq, epoch = seen
    head = room.last_seq
    if not head or (last_seq == head and epoch in (None, room.epoch)):
        return Entries([], [])
    rows, size = (FEW_MESSAGES, FEW_BYTES) if few else (HISTORY_LIMIT, BACKLOG_BYTES)
    if last_seq is None or epoch not in (None, room.epoch) or last_seq > head:
        return history.entries_before(room.id, None, head, min(rows, FIRST_MESSAGES), size)
    return history.entries_after(room.id, last_seq, head, rows, size)
