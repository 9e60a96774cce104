"""Connections that wait for their next request: how many one address may leave open."""

from collections import OrderedDict
from collections.abc import Callable

MAX_IDLE = 100  # of one address; a browser keeps six, and a home has a few of them


class Idle:
    """Idle connections by address. One too many ends the one that has waited the longest."""

    def __init__(self) -> None:
        self._waiting: dict[str, OrderedDict[object, Callable[[], None]]] = {}

    def add(self, address: str, connection: object, end: Callable[[], None]) -> None:
        """From now on a connection is idle; `end` ends it."""
        waiting = self._waiting.setdefault(address, OrderedDict())
        waiting[connection] = end
        if len(waiting) > MAX_IDLE:
            _, end_oldest = waiting.popitem(last=False)
            end_oldest()

    def discard(self, address: str, connection: object) -> None:
        """A connection has a request again, or is no more."""
        waiting = self._waiting.get(address)
        if waiting is not None:
            waiting.pop(connection, None)
            if not waiting:
                del self._waiting[address]


idle = Idle()
