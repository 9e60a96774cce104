"""How late the event loop is: whoever sleeps in it for a set time sees how much later it wakes."""

import asyncio
import time
from collections import deque

SAMPLE_S = 0.1
RECENT = 20  # samples that `recent_s` looks at


class LoopLag:
    """Samples of one event loop, taken for as long as `watch` runs."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque([0.0], maxlen=RECENT)

    @property
    def recent_s(self) -> float:
        """The latest that the loop was, of late."""
        return max(self._recent)

    async def watch(self) -> None:
        """Takes samples until it is cancelled."""
        while True:
            due = time.monotonic() + SAMPLE_S
            await asyncio.sleep(SAMPLE_S)
            self._recent.append(max(0.0, time.monotonic() - due))
