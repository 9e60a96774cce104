"""How late the event loop is: whoever sleeps in it for a set time sees how much later it wakes."""

import asyncio
import time
from bisect import bisect_left
from collections import deque

SAMPLE_S = 0.1
RECENT = 20  # samples that `recent_s` looks at
BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class LoopLag:
    """Samples of one event loop, taken for as long as `watch` runs.

    `buckets` counts them by the first of BOUNDS_S that is not below them; the last has none.
    """

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0
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
            self._note(max(0.0, time.monotonic() - due))

    def _note(self, seconds: float) -> None:
        self._recent.append(seconds)
        self.sum_s += seconds
        self.buckets[bisect_left(BOUNDS_S, seconds)] += 1
