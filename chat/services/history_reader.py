"""Reads of a room's journal by one socket, within its budgets."""

from collections.abc import Callable

from django.conf import settings
from msgspec import Raw

from chat import runtime
from chat.errors import OverBudget, Refused
from chat.protocol import codec
from chat.protocol.messages import HistoryAck
from chat.realtime.budgets import KB
from chat.realtime.rate_limits import TokenBucket
from chat.stats import counts
from chat.storage import database
from chat.storage.history import Entries, around


class Reader:
    """A socket that reads, one request at a time."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._bucket = TokenBucket(settings.HISTORY_KB_PER_S * KB)

    async def history(
        self, room_id: int, *, before: int | None, after: int | None, limit: int
    ) -> Raw:
        """Answer `history` with the entries around a number.

        Raises Refused unless exactly one of `before` and `after` is given, and OverBudget if the
        socket or its address reads too much.
        """
        if (before is None) == (after is None):
            raise Refused("bad_history", "Give one of `before` and `after`.")
        if after is not None:
            counts.repairs["messages"] += 1
        if not self._reserve():
            raise OverBudget("Slow down a little.")
        cost = 0
        try:
            answer, cost = await database.long_query(_encoded, room_id, before, after, limit)
        finally:
            self._settle(cost)
        return answer

    async def backlog(self, read: Callable[[bool], tuple[Entries, int]]) -> tuple[Entries, int]:
        """Read the journal for a participant who enters, and its last number.

        `read` queries the database; its argument says whether to return few entries only. Other
        reads of the address can shorten an entry, but never refuse it.
        """
        few, cost = not self._reserve(), 0
        try:
            entries, seq = await database.query(read, few)
            cost = entries.cost
        finally:
            if not few:
                self._settle(cost)
        return entries, seq

    def _reserve(self) -> bool:
        return runtime.current().budgets.reserve(self.address, self._bucket)

    def _settle(self, cost: int) -> None:
        runtime.current().budgets.settle(self.address, self._bucket, cost)


def _encoded(room_id: int, before: int | None, after: int | None, limit: int) -> tuple[Raw, int]:
    """The answer to `history`, encoded in this thread and not in the loop; its cost."""
    messages, deletions, cost = around(room_id, before, after, limit)
    return codec.encoded(HistoryAck(messages=messages, deletions=deletions)), cost
