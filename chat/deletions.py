"""Messages and rooms deleted in pieces, so that whoever writes meanwhile hardly waits."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from chat import database, history, journal
from chat.messages import DeletedEvent
from chat.models import Deletion, Message, Room

PIECE_S = 0.02  # what a transaction is meant to take: it has as many messages as fit
FIRST_PIECE, LEAST_PIECE, MOST_PIECE = 100, 100, 500  # messages
MAX_SPANS = 100  # in one deletion: it crosses the wire as a whole
# After a piece the database is left to others for so many times as long as it took.
REST = 3
LEAST_REST_S = 0.01

Spans = list[tuple[int, int]]
# Tells the room with a key of a deletion, once it is committed.
Tell = Callable[[str, DeletedEvent], None]


async def delete_messages(messages: QuerySet[Message], tell: Tell) -> int:
    """Deletes all of these messages, of whichever rooms; returns how many there were.

    Each piece is a deletion of the journal: a page learns of it by `tell`, or later by its number.
    """
    total, size = 0, FIRST_PIECE
    while True:
        piece = await database.write(_delete_piece, messages, size)
        for key, fact in piece.facts:
            tell(key, DeletedEvent(seq=fact.seq, spans=history.deletion(fact).spans))
        total += piece.gone
        if piece.is_last:
            return total
        size = await _rest(size, piece.took_s)


async def forget(tell: Tell, now: datetime) -> int:
    """Deletes messages older than the retention time; returns how many."""
    limit = now - timedelta(days=settings.RETENTION_DAYS)
    return await delete_messages(Message.objects.filter(sent_at__lt=limit), tell)


async def mark_room(key: str) -> int | None:
    """From now on nothing is written to the room, and nobody enters it; returns its row's number.

    None if there is no such room.
    """
    return await database.write(_mark_room, key)


async def finish_room(pk: int) -> None:
    """Deletes the row of a marked room, after all of its messages."""
    size, through = FIRST_PIECE, 0
    while True:
        began = time.monotonic()
        through = await database.write(_delete_room_piece, pk, through, size)
        if not through:
            return
        size = await _rest(size, time.monotonic() - began)


async def finish_rooms() -> None:
    """Deletes what is left of all marked rooms; of some the process may have died meanwhile."""
    for pk in await database.read(_marked):
        await finish_room(pk)


async def rest(took_s: float) -> None:
    """Leaves the database to others after a piece that took so long."""
    await asyncio.sleep(max(LEAST_REST_S, REST * took_s))


async def _rest(size: int, took_s: float) -> int:
    """Rests; returns how many messages the next piece may have."""
    await rest(took_s)
    return min(max(LEAST_PIECE, int(size * PIECE_S / took_s)), MOST_PIECE)


class _Piece(NamedTuple):
    """How many messages went, and the deletions by the keys of their rooms."""

    gone: int
    facts: list[tuple[str, Deletion]]
    is_last: bool
    took_s: float


@transaction.atomic
def _delete_piece(messages: QuerySet[Message], size: int) -> _Piece:
    """Deletes so many of these, or fewer."""
    began = time.monotonic()
    found = messages.filter(room__deleted_at=None).order_by().values_list("room_id", "seq")
    by_room: dict[int, list[int]] = {}
    for room_id, seq in found[:size]:
        by_room.setdefault(room_id, []).append(seq)
    keys = dict(Room.objects.filter(pk__in=by_room).values_list("pk", "key"))
    total = 0
    facts = []
    for room_id in sorted(by_room):  # in one order, as the journal locks them
        for head in journal.lock([room_id]).values():
            count, fact = _delete_from(room_id, head, by_room[room_id])
            total += count
            facts.append((keys[room_id], fact))
        if time.monotonic() - began > PIECE_S:
            break
    took_s = time.monotonic() - began
    return _Piece(total, facts, is_last=not by_room, took_s=took_s)


def _delete_from(room_id: int, head: int, seqs: Iterable[int]) -> tuple[int, Deletion]:
    """Deletes messages of a locked room, and writes down that they are gone."""
    spans = _spans((seq, seq) for seq in seqs)[:MAX_SPANS]
    gone = [seq for first, last in spans for seq in range(first, last + 1)]
    count, _ = Message.objects.filter(room_id=room_id, seq__in=gone).delete()
    deletions = Deletion.objects.filter(room_id=room_id)
    # Nothing below the first message that is left needs to be told apart any more.
    left = Message.objects.filter(room_id=room_id).aggregate(first=Min("seq"))["first"] or head + 1
    if left > 1:
        spans = _spans([*spans, (1, left - 1)])
        deletions.filter(seq__lt=left).delete()
    # A deletion right after another one takes its place, or a long one would leave hundreds.
    before = deletions.filter(seq=head).first()
    if before is not None:
        joined = _spans([*spans, *before.spans, (head, head)])
        if len(joined) <= MAX_SPANS:
            spans = joined
            before.delete()
    Room.objects.filter(pk=room_id).update(last_seq=head + 1)
    return count, Deletion.objects.create(room_id=room_id, seq=head + 1, spans=spans)


def _spans(parts: Iterable[Iterable[int]]) -> Spans:
    """These spans as few as possible, in rising order."""

    def joined() -> Iterator[tuple[int, int]]:
        ordered = sorted((first, last) for first, last in parts)
        if not ordered:
            return
        start, end = ordered[0]
        for first, last in ordered[1:]:
            if first > end + 1:
                yield start, end
                start = first
            end = max(end, last)
        yield start, end

    return list(joined())


def _mark_room(key: str) -> int | None:
    now = timezone.now()
    room = Room.objects.filter(key=key)
    room.filter(closed_at=None).update(closed_at=now)
    room.filter(deleted_at=None).update(deleted_at=now)
    return room.values_list("pk", flat=True).first()


@transaction.atomic
def _delete_room_piece(pk: int, through: int, size: int) -> int:
    """Deletes so many messages of a marked room above the number `through`; returns that of the
    last one, or 0 when the room itself is gone.

    In the order of the numbers: PostgreSQL would else look again through all that is deleted.
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
