"""Typing state of a participant, sent once per change and at a bounded rate."""

import asyncio
from collections.abc import Callable

CHANGE_EVERY_S = 1.0  # sooner changes wait, and the last one is sent then
SILENT_S = 6.0  # a page that repeats nothing for so long has stopped writing


class Typist:
    """Publishes the typing state of one participant.

    Each event costs every page in the room some work. Without the bound, four people who say "on"
    and "off" as fast as a socket allows would keep all other pages busy.
    """

    def __init__(self, tell: Callable[[bool], None]) -> None:
        self._tell = tell
        self._on = self._told = False
        self._told_at = float("-inf")
        self._change: asyncio.TimerHandle | None = None
        self._silence: asyncio.TimerHandle | None = None

    def says(self, on: bool) -> None:
        """Take the news that the participant writes, still writes, or has stopped."""
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
