"""The numbers of this process: what it has counted since it started, and how late its loop is."""

import asyncio
import time
from bisect import bisect_left
from collections import Counter, deque

SAMPLE_S = 0.1
RECENT = 20  # samples that `recent_s` looks at
BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Counts:
    """Counting is one addition, for much of it is counted where every microsecond matters."""

    def __init__(self) -> None:
        self.messages_stored = 0
        self.deliveries = 0  # frames handed to sockets of this process
        self.publish_failures = 0
        self.readers_cut_off = 0  # of an answer over HTTP
        self.joins: Counter[str] = Counter()  # into a room or a call, by kind of socket
        self.ice_failures: Counter[str] = Counter()  # told by pages, by kind
        self.resumes = 0  # returns within the lease
        self.leases_expired: Counter[str] = Counter()  # by kind of place
        self.repairs: Counter[str] = Counter()  # by what was asked for again
        self.closes: Counter[int] = Counter()  # by code
        # By reason (noom_project/security/refused_requests.py).
        self.refused_origins: Counter[str] = Counter()
        self.proxy_faults: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()  # by the code that the other side was told


class LoopLag:
    """How late an event loop is: whoever sleeps in it for a set time sees how much later it wakes.

    Samples are taken for as long as `watch` runs.
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


counts = Counts()
