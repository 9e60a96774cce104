"""Whether somebody is writing, as the others learn it: each change once, and not too often."""

import asyncio
from collections.abc import Callable

CHANGE_EVERY_S = 1.0  # what comes sooner waits; the last state is told then
SILENT_S = 6.0  # a page that says nothing more of its writing for so long has stopped


class Typist:
    """Passes on what one participant says of its writing.

    Each event costs every page in the room some work, so four people who say "on" and "off" as fast
    as a socket may would keep all others busy.
    """

    def __init__(self, tell: Callable[[bool], None]) -> None:
        self._tell = tell
        self._on = self._told = False
        self._told_at = float("-inf")
        self._change: asyncio.TimerHandle | None = None
        self._silence: asyncio.TimerHandle | None = None

    def says(self, on: bool) -> None:
        """The participant writes, still writes, or has stopped."""
        self._on = on
        if self._silence is not None:
            self._silence.cancel()
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(SILENT_S, self.says, False) if on else None
        if self._change is None:
            self._pass_on()

    def _pass_on(self) -> None:
        self._change = None
        if self._on == self._told:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._told_at + CHANGE_EVERY_S - loop.time()
        if wait_s > 0:
            self._change = loop.call_later(wait_s, self._pass_on)
            return
        self._told, self._told_at = self._on, loop.time()
        self._tell(self._told)
