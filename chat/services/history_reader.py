"""What one socket reads of a room's messages, within the budgets of itself and of its address."""

from collections.abc import Callable

from django.conf import settings
from msgspec import Raw

from chat import runtime
from chat.errors import Crowded, Refused
from chat.protocol import codec
from chat.protocol.messages import HistoryAck
from chat.realtime.budgets import KB
from chat.realtime.rate_limits import Bucket
from chat.stats import counts
from chat.storage import database
from chat.storage.history import Entries, around


class Reader:
    """A socket that reads. It waits for one answer before it asks for the next."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._bucket = Bucket(settings.HISTORY_KB_PER_S * KB)

    async def history(
        self, room_id: int, *, before: int | None, after: int | None, limit: int
    ) -> Raw:
        """The answer to `history`: messages around a number.

        Raises Refused unless exactly one of the two is given, and when the socket or its address
        reads too much.
        """
        if (before is None) == (after is None):
            raise Refused("bad_history", "Give one of `before` and `after`.")
        if after is not None:
            counts.repairs["messages"] += 1
        if not self._reserve():
            raise Crowded("Slow down a little.")
        cost = 0
        try:
            answer, cost = await database.history(_encoded, room_id, before, after, limit)
        finally:
            self._settle(cost)
        return answer

    async def backlog(self, read: Callable[[bool], tuple[Entries, int]]) -> tuple[Entries, int]:
        """What one who enters is told of the journal, and the room's last number.

        `read` queries them; its argument says whether few must do: entering is never refused for
        what others of an address read.
        """
        few, cost = not self._reserve(), 0
        try:
            entries, seq = await database.read(read, few)
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
    """The answer to `history`, encoded in this thread and not in the loop; and its cost."""
    messages, deletions, cost = around(room_id, before, after, limit)
    return codec.encoded(HistoryAck(messages=messages, deletions=deletions)), cost
