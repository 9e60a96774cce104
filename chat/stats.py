"""Counters and loop lag of this process."""

import asyncio
import time
from bisect import bisect_left
from collections import Counter, deque

SAMPLE_S = 0.1
RECENT = 20  # samples in `recent_s`
BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Counts:
    """Counters since the start of the process.

    To count is one addition, because every microsecond matters in the delivery of frames.
    """

    def __init__(self) -> None:
        self.messages_stored = 0
        self.deliveries = 0  # frames handed to sockets of this process
        self.publish_failures = 0
        self.readers_cut_off = 0  # of an answer over HTTP
        self.joins: Counter[str] = Counter()  # into a room or a call, by kind of socket
        self.ice_failures: Counter[str] = Counter()  # reported by pages, by kind
        self.resumes = 0  # returns within the lease
        self.leases_expired: Counter[str] = Counter()  # by kind of place
        self.repairs: Counter[str] = Counter()  # by kind of request
        self.closes: Counter[int] = Counter()  # by code
        # By reason (noom_project/security/refused_requests.py).
        self.refused_origins: Counter[str] = Counter()
        self.proxy_faults: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()  # by the code that the client received


class LoopLag:
    """The lag of an event loop, measured by how late sleeps in it end.

    `watch` takes the samples. `buckets` counts them by the smallest bound in BOUNDS_S that they do
    not exceed; the last bucket has no bound.
    """

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0
        self._recent: deque[float] = deque([0.0], maxlen=RECENT)

    @property
    def recent_s(self) -> float:
        """The largest lag of the recent samples."""
        return max(self._recent)

    async def watch(self) -> None:
        """Take samples until the task is cancelled."""
        while True:
            due = time.monotonic() + SAMPLE_S
            await asyncio.sleep(SAMPLE_S)
            self._note(max(0.0, time.monotonic() - due))

    def _note(self, seconds: float) -> None:
        self._recent.append(seconds)
        self.sum_s += seconds
        self.buckets[bisect_left(BOUNDS_S, seconds)] += 1


counts = Counts()
