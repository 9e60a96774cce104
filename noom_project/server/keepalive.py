"""Whether pages still live: every WebSocket is looked at every two seconds, few of them in a step.

Stock daphne looks at all its sockets in one go, every two seconds, pings those that are due, and
has a timer for each: with ten thousand, everybody else waits.
"""

import asyncio
from itertools import cycle
from typing import Protocol

STEPS = 40
STEP_S = 2 / STEPS


class Socket(Protocol):
    """What has a pulse."""

    def check(self, now: float) -> None:
        """Looks whether it lives."""


class Pulse:
    """Checks what is added every two seconds, until it is discarded."""

    def __init__(self) -> None:
        # Seconds of steps. A process that stood still does not count that time: its next step
        # comes after whatever has arrived meanwhile was read.
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
