"""Idle keep-alive connections, and the bound on those of one address."""

from collections import OrderedDict
from collections.abc import Callable

MAX_IDLE = 100  # of one address; beyond it the oldest is closed. A browser keeps six


class Idle:
    """Idle connections by address; beyond MAX_IDLE the longest idle one is closed."""

    def __init__(self) -> None:
        self._waiting: dict[str, OrderedDict[object, Callable[[], None]]] = {}

    def add(self, address: str, connection: object, end: Callable[[], None]) -> None:
        """Notes that a connection is idle; `end` closes it."""
        waiting = self._waiting.setdefault(address, OrderedDict())
        waiting[connection] = end
        if len(waiting) > MAX_IDLE:
            _, end_oldest = waiting.popitem(last=False)
            end_oldest()

    def discard(self, address: str, connection: object) -> None:
        """Notes that a connection has a request again, or is closed."""
        waiting = self._waiting.get(address)
        if waiting is not None:
            waiting.pop(connection, None)
            if not waiting:
                del self._waiting[address]


idle = Idle()
