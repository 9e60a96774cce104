"""Checks every WebSocket once in two seconds, a fortieth of them in each step.

Stock daphne checks all sockets in one go and has a timer for each. With ten thousand sockets all
other work waits meanwhile.
"""

import asyncio
from itertools import cycle
from typing import Protocol

STEPS = 40
STEP_S = 2 / STEPS


class Socket(Protocol):
    """A connection with a keepalive check."""

    def check(self, now: float) -> None:
        """Pings the other side if due, and closes a dead connection."""


class Keepalive:
    """Checks each added socket every two seconds until it is discarded."""

    def __init__(self) -> None:
        # Seconds of steps. Time in which the process was suspended does not count: its next step
        # comes after it has read the frames that arrived meanwhile.
        self.now = 0.0
        self._steps: list[set[Socket]] = [set() for _ in range(STEPS)]
        self._filling, self._checking = cycle(self._steps), cycle(self._steps)
        self._of: dict[Socket, set[Socket]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, socket: Socket) -> None:
        self._of[socket] = step = next(self._filling)
        step.add(socket)
        if self._timer is None:
            self._wait()

    def discard(self, socket: Socket) -> None:
        self._of.pop(socket, set()).discard(socket)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(STEP_S, self._check)

    def _check(self) -> None:
        self._timer = None
        self.now += STEP_S
        for socket in list(next(self._checking)):
            socket.check(self.now)
        if self._of:
            self._wait()
