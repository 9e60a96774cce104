"""Queries of the journal: messages and deletions around a number, and the state of rooms."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from chat.models import Deletion as DeletionRow
from chat.models import Message as Row
from chat.models import Room
from chat.protocol.messages import HISTORY_LIMIT, Deletion, Message, Span
from chat.realtime.budgets import ANSWER_BYTES, READ_ROW_BYTES

CHUNK_ROWS = 25  # rows of one query, of at most 16 KB each, so that few long ones are read in vain
SPAN_BYTES = 40  # cost of one span of a deletion


class Entries(NamedTuple):
    """A part of a room's journal, each kind by rising number."""

    messages: list[Message]
    deletions: list[Deletion]
    cost: int = 0  # of the query, in bytes (chat/realtime/budgets.py)


def entries_after(
    room_id: int, seq: int, head: int, limit: int = HISTORY_LIMIT, most_bytes: int = ANSWER_BYTES
) -> Entries:
    """The first `limit` entries above `seq` and not above `head`.

    Texts longer than `most_bytes` together cut the result, but one message remains. `head` is the
    room's last number, read before. Messages and deletions are two queries; without `head` the
    second could have numbers above some that the first does not have yet.
    """
    window = {"room_id": room_id, "seq__lte": head}
    rows = Row.objects.filter(**window).order_by("seq")
    found = _read(lambda last: rows.filter(seq__gt=last), seq, limit, most_bytes)
    messages = found.messages
    facts = DeletionRow.objects.filter(**window, seq__gt=seq).order_by("seq")[:limit]
    deletions = [deletion(row) for row in facts]
    numbers = sorted([*(m.seq for m in messages), *(d.seq for d in deletions)])[:limit]
    end = numbers[-1] if numbers else 0
    if found.is_cut:  # messages after the last one are missing, so no later deletion may stand
        end = min(end, messages[-1].seq)
    messages = [m for m in messages if m.seq <= end]
    return Entries(messages, [d for d in deletions if d.seq <= end], found.cost + _cost(deletions))


def messages_after(room_id: int, seq: int, limit: int) -> list[Message]:
    """The first `limit` messages with a number above `seq`."""
    rows = Row.objects.filter(room_id=room_id, seq__gt=seq).order_by("seq")[:limit]
    return [message(row) for row in rows]


def entries_before(
    room_id: int,
    seq: int | None,
    head: int,
    limit: int = HISTORY_LIMIT,
    most_bytes: int = ANSWER_BYTES,
) -> Entries:
    """The last `limit` messages below `seq`, rising, and the deletions between them.

    `seq` None means from the end. The deletions explain missing numbers. `most_bytes` bounds the
    result as in `entries_after`.
    """
    rows = Row.objects.filter(room_id=room_id).order_by("-seq")
    found = _read(
        lambda last: rows if last is None else rows.filter(seq__lt=last), seq, limit, most_bytes
    )
    messages = found.messages[::-1]
    if not messages:
        return Entries([], [], found.cost)
    end = head if seq is None else min(seq - 1, head)
    window = {"room_id": room_id, "seq__gt": messages[0].seq, "seq__lte": end}
    facts = DeletionRow.objects.filter(**window).order_by("-seq")[:limit]
    deletions = [deletion(row) for row in reversed(facts)]
    return Entries(messages, deletions, found.cost + _cost(deletions))


class _Found(NamedTuple):
    """Messages in the order of their rows. `is_cut` means that further ones exceed the limit."""

    messages: list[Message]
    cost: int
    is_cut: bool


def _read(
    rows_from: Callable[[Any], "QuerySet[Row]"], start: int | None, limit: int, most_bytes: int
) -> _Found:
    """Read a few rows at a time, so that a hundred long messages are not read for ten."""
    messages: list[Message] = []
    cost, size, last = 0, 0, start
    while len(messages) < limit:
        wanted = min(CHUNK_ROWS, limit - len(messages))
        rows = [message(row) for row in rows_from(last)[:wanted]]
        cost += READ_ROW_BYTES * (len(rows) + 1)
        for found in rows:
            size += (words := len(found.text.encode()))
            cost += words
            if size > most_bytes and messages:
                return _Found(messages, cost, is_cut=True)
            messages.append(found)
        if len(rows) < wanted:
            break
        last = rows[-1].seq
    return _Found(messages, cost, is_cut=False)


def _cost(deletions: list[Deletion]) -> int:
    return sum(READ_ROW_BYTES + SPAN_BYTES * len(fact.spans) for fact in deletions)


def deletion(row: DeletionRow) -> Deletion:
    """A stored deletion in its wire form."""
    return Deletion(seq=row.seq, spans=[Span(first, last) for first, last in row.spans])


def around(room_id: int, before: int | None, after: int | None, limit: int) -> Entries:
    """Entries above `after`, or messages below `before`."""
    last = head(room_id)
    if after is not None:
        return entries_after(room_id, after, last, limit)
    return entries_before(room_id, before, last, limit)


def head(room_id: int) -> int:
    """The last number of a room, or 0 if the room is gone."""
    return Room.objects.filter(pk=room_id).values_list("last_seq", flat=True).first() or 0


class Head(NamedTuple):
    """The state of a room for a beat. Members of a room that is not open must leave."""

    seq: int
    epoch: str
    is_open: bool


def room_heads(keys: Sequence[str]) -> dict[str, Head]:
    """The state of each of these rooms that exists."""
    rooms = Room.objects.filter(key__in=keys)
    found = rooms.values_list("key", "last_seq", "epoch", "closed_at", "deleted_at")
    return {
        key: Head(seq, epoch, closed_at is None and deleted_at is None)
        for key, seq, epoch, closed_at, deleted_at in found
    }


def message(row: Row) -> Message:
    """A stored message in its wire form."""
    return Message(
        seq=row.seq,
        sender=row.participant,
        nickname=row.nickname,
        text=row.text,
        sent_at=milliseconds(row.sent_at),
        client_id=str(row.client_id),
    )


def milliseconds(moment: datetime) -> int:
    """A moment in milliseconds of the Unix epoch."""
    return int(moment.timestamp() * 1000)
