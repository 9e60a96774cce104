"""The writer of messages: numbers them by room and stores them in groups."""

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from chat.models import Message as Row
from chat.protocol.messages import Message, NewMessageEvent, WireType
from chat.stats import counts
from chat.storage import database, history

MAX_BATCH = 500  # messages in one transaction; further ones wait for the next
BATCH_DELAY_S = 0.003  # pause after a group of more than one, so that the next messages share one
MAX_WAITING = 5_000  # messages in memory; past that `append` raises JournalFull
# Errors of an unreachable database. Retrying each entry alone would fail as well.
UNREACHABLE = (OperationalError, InterfaceError)

INSERT = (
    "INSERT INTO chat_message"
    " (room_id, browser, seq, participant, nickname, text, sent_at, client_id)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)
UPDATE = "UPDATE chat_room SET last_seq = %s WHERE id = %s"

log = logging.getLogger(__name__)


class JournalFull(Exception):
    """Too many messages wait for the database."""


class RoomGone(Exception):
    """The room of a message was deleted."""


# Publishes the event of a stored message. The journal calls it in the order of the numbers.
Publish = Callable[[WireType], None]


@dataclass(slots=True)
class Entry:
    """A message that waits to be written, and the future of its sender."""

    room_id: int
    participant: str
    nickname: str
    text: str
    client_id: str
    publish: Publish
    browser: str
    done: "asyncio.Future[Message]" = field(default_factory=asyncio.Future)


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in the database. `is_new` is False if it was stored before."""

    message: Message
    is_new: bool


class Journal:
    """Writes waiting messages in one transaction, while the next group gathers."""

    def __init__(self) -> None:
        self._waiting: list[Entry] = []
        self._writing: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """The number of messages whose group is not being written yet."""
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
        browser: str = "",
    ) -> Message:
        """Store a message, in the order of the calls, and return after its commit.

        A message whose `client_id` was stored before is returned as it was, unpublished.

        Raises JournalFull if too many wait, RoomGone if the room was deleted, and the error of
        the database. In each case the message was not stored.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise JournalFull
        entry = Entry(room_id, participant, nickname, text, client_id, publish, browser)
        self._waiting.append(entry)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await entry.done

    async def _write(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                await self._write_group(group)
                if len(group) > 1:
                    await asyncio.sleep(BATCH_DELAY_S)
        finally:
            self._writing = None

    async def _write_group(self, group: list[Entry]) -> None:
        try:
            results = await database.write_in_order(_store, group)
        except Exception as error:  # each sender receives it and may send again
            for entry in group:
                if not entry.done.done():
                    entry.done.set_exception(error)
            return
        for entry, result in zip(group, results, strict=True):
            if entry.done.done():
                continue
            if isinstance(result, Stored):
                entry.done.set_result(result.message)
            else:
                entry.done.set_exception(result)
        for entry, result in zip(group, results, strict=True):
            if isinstance(result, Stored) and result.is_new:
                counts.messages_stored += 1
                try:
                    entry.publish(result.message)
                except Exception:  # a page repairs it by its number; the writer has to go on
                    log.exception("a stored message was not published")


Result = Stored | Exception


def _store(group: Sequence[Entry]) -> list[Result]:
    """Store the new entries of a group in one transaction, and return one result for each.

    A failing group is halved until the entry that cannot be stored is alone.
    """
    try:
        return _insert(group, has_duplicates=False)
    except UNREACHABLE:
        raise
    except Exception:
        log.debug("a group failed; once more, knowing what was stored before", exc_info=True)
    try:
        return _insert(group, has_duplicates=True)
    except UNREACHABLE:
        raise
    except Exception as error:
        if len(group) == 1:
            return [error]
        half = len(group) // 2
        return _store(group[:half]) + _store(group[half:])


@transaction.atomic
def _insert(group: Sequence[Entry], *, has_duplicates: bool) -> list[Result]:
    """Reserve numbers on the rows of the rooms, and insert the new entries in SQL.

    A model with its preparation for each row costs more than the rest of a message's way
    (docs/performance.md). Stored entries are looked up only if there are duplicates, so that nobody
    else pays for resends.
    """
    heads = lock({entry.room_id for entry in group})
    known = _known(group) if has_duplicates else {}
    now = timezone.now()
    sent_at = Row._meta.get_field("sent_at").get_db_prep_value(now, connection)
    id_field = Row._meta.get_field("client_id")
    results: list[Result] = []
    rows = []
    for entry in group:
        room, identity = entry.room_id, (entry.room_id, entry.client_id)
        if room not in heads:
            results.append(RoomGone())
            continue
        is_new = identity not in known  # a client_id twice in one group is new once
        if is_new:
            heads[room] += 1
            known[identity] = m = NewMessageEvent(
                seq=heads[room],
                sender=entry.participant,
                nickname=entry.nickname,
                text=entry.text,
                sent_at=history.milliseconds(now),
                client_id=entry.client_id,
            )
            client_id = id_field.get_db_prep_value(uuid.UUID(m.client_id), connection)
            said = (m.seq, m.sender, m.nickname, m.text, sent_at, client_id)
            rows.append((room, entry.browser, *said))
        results.append(Stored(known[identity], is_new))
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, rows)
        cursor.executemany(UPDATE, [(seq, room) for room, seq in heads.items()])
    return results


_LOCK = """
SELECT id, last_seq, deleted_at IS NOT NULL,
       (SELECT MAX(seq) FROM chat_message WHERE room_id = chat_room.id),
       (SELECT MAX(seq) FROM chat_deletion WHERE room_id = chat_room.id)
FROM chat_room WHERE id IN ({ids}) ORDER BY id {for_update}
"""


def lock(rooms: Iterable[int]) -> dict[int, int]:
    """Lock the rows of these rooms until the transaction ends, and return each last number.

    Deleted rooms are left out. Where `last_seq` is behind the entries of a room, the largest number
    of an entry counts, so that no number is given twice.
    """
    # The lock orders the numbers of two processes. One order of ids prevents deadlocks.
    ids = sorted(rooms)
    sql = _LOCK.format(
        ids=",".join(["%s"] * len(ids)),
        for_update="FOR UPDATE" if connection.features.has_select_for_update else "",
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, ids)
        rows = cursor.fetchall()
    return {
        room_id: max(last_seq, message or 0, deletion or 0)
        for room_id, last_seq, deleted, message, deletion in rows
        if not deleted
    }


def _known(group: Sequence[Entry]) -> dict[tuple[int, str], Message]:
    """The entries of the group that are stored already, by room and client_id."""
    by_room = defaultdict(list)
    for entry in group:
        by_room[entry.room_id].append(entry.client_id)
    return {
        (row.room_id, str(row.client_id)): history.message(row)
        for room_id, client_ids in by_room.items()
        for row in Row.objects.filter(room_id=room_id, client_id__in=client_ids)
    }
