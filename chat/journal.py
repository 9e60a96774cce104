"""Durable messages: numbered per room, written in groups, read back from a number."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from chat import database
from chat.counts import counts
from chat.messages import HISTORY_LIMIT, Message
from chat.models import Message as Row
from chat.models import Room

MAX_GROUP = 500  # messages in one transaction
GATHER_S = 0.003  # after more than one at once: the next ones come together, too
MAX_WAITING = 5_000  # messages in memory; past that a sender is told to try again


class JournalFull(Exception):
    """Too many messages wait for the database."""


# Tells the room of a message; called for each once it is stored, in the order of the numbers.
Publish = Callable[[Message], None]


@dataclass(slots=True)
class Entry:
    """A message that waits to be written, and the one who waits for it."""

    room_id: int
    participant: str
    nickname: str
    text: str
    client_id: str
    publish: Publish
    done: "asyncio.Future[Message]" = field(default_factory=asyncio.Future)


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it is in the database; not `fresh` if it had been stored before."""

    message: Message
    fresh: bool


class Journal:
    """Writes what waits in one transaction: while one group is being written the next one grows."""

    def __init__(self) -> None:
        self._waiting: list[Entry] = []
        self._writing: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Messages that nobody has begun to write."""
        return len(self._waiting)

    async def append(
        self,
        *,
        room_id: int,
        participant: str,
        nickname: str,
        text: str,
        client_id: str,
        publish: Publish,
    ) -> Message:
        """Stores a message, in the order of the calls, and returns once it is committed.

        One that was stored before (the same `client_id`) is returned as it was, unpublished.

        Raises JournalFull when too many wait, and what the database raised when it failed; then
        nothing was stored.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise JournalFull
        entry = Entry(room_id, participant, nickname, text, client_id, publish)
        self._waiting.append(entry)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await entry.done

    async def _write(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
                await self._write_group(group)
                if len(group) > 1:
                    await asyncio.sleep(GATHER_S)
        finally:
            self._writing = None

    async def _write_group(self, group: list[Entry]) -> None:
        try:
            results = await database.write(_store, group)
        except Exception as error:  # whatever failed, each sender is told and may send again
            for entry in group:
                if not entry.done.done():
                    entry.done.set_exception(error)
            return
        for entry, stored in zip(group, results, strict=True):
            if not entry.done.done():
                entry.done.set_result(stored.message)
        for entry, stored in zip(group, results, strict=True):
            if stored.fresh:
                counts.messages_stored += 1
                entry.publish(stored.message)


def _store(group: Sequence[Entry]) -> list[Stored]:
    """Stores what is new of a group, in one transaction; returns one result an entry."""
    try:
        return _insert(group, resent=False)
    except IntegrityError:  # something in it was stored before
        return _insert(group, resent=True)


@transaction.atomic
def _insert(group: Sequence[Entry], *, resent: bool) -> list[Stored]:
    """Reserves numbers on the rooms' rows and inserts what is new.

    What was stored before is looked up only if it is known that there is some (`resent`).
    """
    ids = sorted({entry.room_id for entry in group})
    # The lock makes the numbers of two processes follow each other; in one order, against deadlock.
    locked = Room.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    heads = dict(locked.values_list("pk", "last_seq"))
    known = _known(group) if resent else {}
    now = timezone.now()
    results, rows = [], []
    for entry in group:
        identity = (entry.room_id, entry.client_id)
        fresh = identity not in known  # a client_id that comes twice in one group is fresh once
        if fresh:
            heads[entry.room_id] += 1
            known[identity] = _numbered(entry, heads[entry.room_id], now)
            rows.append((entry.room_id, known[identity]))
        results.append(Stored(known[identity], fresh))
    _write_rows(rows, heads, now)
    return results


def _known(group: Sequence[Entry]) -> dict[tuple[int, str], Message]:
    """What of the group is stored already, by room and client_id."""
    by_room = defaultdict(list)
    for entry in group:
        by_room[entry.room_id].append(entry.client_id)
    return {
        (row.room_id, str(row.client_id)): _message(row)
        for room_id, client_ids in by_room.items()
        for row in Row.objects.filter(room_id=room_id, client_id__in=client_ids)
    }


def _numbered(entry: Entry, seq: int, now: datetime) -> Message:
    return Message(
        seq=seq,
        sender=entry.participant,
        nickname=entry.nickname,
        text=entry.text,
        sent_at=_milliseconds(now),
        client_id=entry.client_id,
    )


INSERT = (
    "INSERT INTO chat_message (room_id, seq, participant, nickname, text, sent_at, client_id)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
UPDATE = "UPDATE chat_room SET last_seq = %s WHERE id = %s"


def _write_rows(rows: Sequence[tuple[int, Message]], heads: dict[int, int], now: datetime) -> None:
    """Writes messages and the rooms' last numbers. In SQL: a model and its preparation for each
    row cost more than all the rest of a message's way (docs/performance.md)."""
    prepare = Row._meta.get_field("client_id").get_db_prep_value
    sent_at = Row._meta.get_field("sent_at").get_db_prep_value(now, connection)
    with connection.cursor() as cursor:
        cursor.executemany(
            INSERT,
            [
                (
                    *(room_id, m.seq, m.sender, m.nickname, m.text, sent_at),
                    prepare(uuid.UUID(m.client_id), connection),
                )
                for room_id, m in rows
            ],
        )
        cursor.executemany(UPDATE, [(seq, room_id) for room_id, seq in heads.items()])


def _message(row: Row) -> Message:
    return Message(
        seq=row.seq,
        sender=row.participant,
        nickname=row.nickname,
        text=row.text,
        sent_at=_milliseconds(row.sent_at),
        client_id=str(row.client_id),
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def after(room_id: int, seq: int, limit: int = HISTORY_LIMIT) -> list[Message]:
    """The first `limit` messages with a number above `seq`."""
    rows = Row.objects.filter(room_id=room_id, seq__gt=seq).order_by("seq")[:limit]
    return [_message(row) for row in rows]


def before(room_id: int, seq: int | None, limit: int = HISTORY_LIMIT) -> list[Message]:
    """The last `limit` messages with a number below `seq` (None: of all), in rising order."""
    rows = Row.objects.filter(room_id=room_id)
    if seq is not None:
        rows = rows.filter(seq__lt=seq)
    return [_message(row) for row in reversed(rows.order_by("-seq")[:limit])]


def heads(keys: Sequence[str]) -> dict[str, int]:
    """The last number of each of these rooms."""
    return dict(Room.objects.filter(key__in=keys).values_list("key", "last_seq"))


def forget() -> int:
    """Deletes messages older than the retention time; returns how many."""
    limit = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    return Row.objects.filter(sent_at__lt=limit).delete()[0]
