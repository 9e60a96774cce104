"""What is asked of the database for each who enters: two questions, in SQL, because a thousand may
come at once and a query that Django puts together costs as much again as its answer."""

from typing import NamedTuple

from django.db import connection

from chat import journal, names
from chat.identity import Identity
from chat.messages import HISTORY_LIMIT, Message
from chat.models import Room

FIRST_MESSAGES = 50  # what a newcomer is shown at once

_SQL = """
SELECT id, name, listed, host, capacity, closed_at IS NOT NULL, last_seq,
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
    removed: bool  # the browser was removed from it


def find(identity: Identity) -> Doorway | None:
    """The room of an identity; None if nobody has made it yet."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [identity.browser, identity.key])
        row = cursor.fetchone()
    if row is None:
        return None
    id, name, listed, host, capacity, closed, last_seq, removed = row
    return Doorway(id, name, bool(listed), host, capacity, bool(closed), last_seq, bool(removed))


def make(identity: Identity) -> Doorway | None:
    """The same, and it is made if need be."""
    Room.objects.get_or_create(
        key=identity.key,
        defaults={
            "name": identity.room_name,
            "listed": not names.is_unlisted(identity.key),
            "host": identity.browser,
        },
    )
    return find(identity)


def backlog(room: Doorway, last_seq: int | None) -> list[Message]:
    """What one who has the messages up to a number (None: none at all) is told on entering."""
    if last_seq is None or last_seq > room.last_seq:
        return journal.before(room.id, None, FIRST_MESSAGES) if room.last_seq else []
    return journal.after(room.id, last_seq, HISTORY_LIMIT) if last_seq < room.last_seq else []
