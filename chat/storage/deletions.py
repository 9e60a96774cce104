"""Deletion of messages and rooms in pieces, so that other writers hardly wait."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, ParamSpec, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from chat.models import Deletion, Message, Room
from chat.protocol import spans
from chat.protocol.messages import DeletedEvent
from chat.protocol.spans import Spans
from chat.storage import database, history, journal

PIECE_S = 0.01  # target duration of a transaction; the size of the next piece follows from it
FIRST_PIECE, LEAST_PIECE, MOST_PIECE = 50, 20, 500  # messages
FOUND_AT_ONCE = 1_000  # messages whose numbers are read in one query and held in memory
MAX_SPANS = 100  # in one deletion, which is sent as a whole; further spans need another one
REST = 3  # pause after a piece, as a multiple of its duration
LEAST_REST_S = 0.01

P = ParamSpec("P")
T = TypeVar("T")
# Publishes a committed deletion to the room with a key.
Tell = Callable[[str, DeletedEvent], None]


async def delete_messages(messages: QuerySet[Message], tell: Tell) -> int:
    """Delete these messages of any rooms, and return their count.

    Each piece is one deletion of the journal, published by `tell`. A page that misses it learns of
    it by its number.
    """
    total, size = 0, FIRST_PIECE
    # Numbers are read outside of the transactions, so that nobody waits while PostgreSQL scans
    # dead rows.
    while found := await database.long_query(_find, messages):
        for (room_id, key), seqs in found.items():
            floor = 1
            while seqs:
                gone = spans.join((seq, seq) for seq in seqs[:size])[:MAX_SPANS]
                piece, took_s = await database.delete(_timed, _delete_piece, room_id, gone, floor)
                del seqs[: sum(last - first + 1 for first, last in gone)]
                if piece is not None:
                    total, floor = total + piece.gone, piece.floor
                    told = history.deletion(piece.fact).spans
                    tell(key, DeletedEvent(seq=piece.fact.seq, spans=told))
                size = await _rest(size, took_s)
    return total


async def forget(tell: Tell, now: datetime) -> int:
    """Delete messages older than the retention time, and return their count."""
    limit = now - timedelta(days=settings.RETENTION_DAYS)
    return await delete_messages(Message.objects.filter(sent_at__lt=limit), tell)


async def mark_room(key: str) -> int | None:
    """Mark a room as deleted, and return the id of its row, or None if there is no such room.

    From now on the room takes no entry and no message.
    """
    return await database.write_in_order(_mark_room, key)


async def finish_room(pk: int) -> None:
    """Delete the messages of a marked room, and then its row."""
    size, through = FIRST_PIECE, 0
    while True:
        through, took_s = await database.delete(_timed, _delete_room_piece, pk, through, size)
        if not through:
            return
        size = await _rest(size, took_s)


async def finish_rooms() -> None:
    """Delete what remains of all marked rooms, also of those whose process has died."""
    for pk in await database.query(_marked):
        await finish_room(pk)


async def rest(took_s: float) -> None:
    """Pause after a piece, so that other writers have the database."""
    await asyncio.sleep(max(LEAST_REST_S, REST * took_s))


async def _rest(size: int, took_s: float) -> int:
    """Pause, and return the size of the next piece."""
    await rest(took_s)
    return min(max(LEAST_PIECE, int(size * PIECE_S / took_s)), MOST_PIECE)


def _timed(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
    """The result of a transaction, and its duration with the commit, in seconds."""
    began = time.monotonic()
    result = function(*args, **kwargs)
    return result, time.monotonic() - began


class _Piece(NamedTuple):
    """A deleted piece: the count of messages, the deletion, and the lowest number left."""

    gone: int
    fact: Deletion
    floor: int


def _find(messages: QuerySet[Message]) -> dict[tuple[int, str], list[int]]:
    """Some of these messages' numbers, rising, by row and key of their room."""
    found = messages.filter(room__deleted_at=None).order_by()
    by_room: dict[tuple[int, str], list[int]] = {}
    for room_id, key, seq in found.values_list("room_id", "room__key", "seq")[:FOUND_AT_ONCE]:
        by_room.setdefault((room_id, key), []).append(seq)
    for seqs in by_room.values():
        seqs.sort()
    return by_room


@transaction.atomic
def _delete_piece(room_id: int, gone: Spans, floor: int) -> _Piece | None:
    """Delete messages of a room and record the deletion, or return None if the room is gone.

    No message of the room has a number below `floor`.
    """
    head = journal.lock([room_id]).get(room_id)
    if head is None:
        return None
    seqs = [seq for first, last in gone for seq in range(first, last + 1)]
    messages = Message.objects.filter(room_id=room_id)
    count, _ = messages.filter(seq__in=seqs).delete()
    # From `floor` on, because PostgreSQL would scan all deleted rows again.
    left = messages.filter(seq__gte=floor).aggregate(first=Min("seq"))["first"] or head + 1
    fact = _write_down(room_id, head, left, gone)
    Room.objects.filter(pk=room_id).update(last_seq=fact.seq)
    return _Piece(count, fact, left)


def _write_down(room_id: int, head: int, left: int, gone: Spans) -> Deletion:
    """The deletion of these spans. `left` is the number of the first remaining message."""
    rows = Deletion.objects.filter(Q(seq__lt=left) | Q(seq=head), room_id=room_id)
    former = {row.seq: row for row in rows}
    # Below the first remaining message one span covers everything.
    if left > 1:
        gone = spans.join([*gone, (1, left - 1)])
    # A deletion directly after another one replaces it. A long deletion would otherwise leave
    # hundreds of entries.
    fact = Deletion(room_id=room_id)
    if head in former:
        joined = spans.join([*gone, *former[head].spans, (head, head)])
        if len(joined) <= MAX_SPANS:
            fact, gone = former.pop(head), joined
    needless = [row.pk for row in former.values() if row.seq < left]
    if needless:
        Deletion.objects.filter(pk__in=needless).delete()
    fact.seq, fact.spans = head + 1, gone
    fact.save()
    return fact


def _mark_room(key: str) -> int | None:
    now = timezone.now()
    room = Room.objects.filter(key=key)
    room.filter(closed_at=None).update(closed_at=now)
    room.filter(deleted_at=None).update(deleted_at=now)
    return room.values_list("pk", flat=True).first()


@transaction.atomic
def _delete_room_piece(pk: int, through: int, size: int) -> int:
    """Delete `size` messages of a marked room above the number `through`.

    Returns the last deleted number, or 0 after the row of the room. Pieces go in the order of
    numbers, because PostgreSQL would otherwise scan all deleted rows again.
    """
    messages = Message.objects.filter(room_id=pk, seq__gt=through)
    piece = list(messages.order_by("seq").values_list("seq", flat=True)[:size])
    if piece:
        messages.filter(seq__lte=piece[-1]).delete()
        return piece[-1]
    Room.objects.filter(pk=pk).exclude(deleted_at=None).delete()
    return 0


def _marked() -> list[int]:
    return list(Room.objects.exclude(deleted_at=None).values_list("pk", flat=True))
