"""Frozen Redis: no socket closes, no other work waits, and readiness turns false."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.clients.swarm import Swarm, percentile
from tests.support.clients.websocket import Wire
from tests.support.figures.verdicts import (
    LEASE_AND_SWEEP_S,
    ROOMS,
    Sends,
    closed,
    record_delivery,
    until_heard,
    until_true,
)

FROZEN_S = 10.0
AFTER_S = 4.0
PING_EVERY_S = 0.15  # a socket may send ten control frames a second


class Readiness:
    """The times at which a process became ready and not ready, by the monotonic clock."""

    def __init__(self, url: str) -> None:
        self.changes: list[tuple[float, bool]] = []
        self._url = f"{url}/readyz"

    async def watch(self) -> None:
        while True:
            ready = await asyncio.to_thread(self._ask)
            if not self.changes or self.changes[-1][1] != ready:
                self.changes.append((time.monotonic(), ready))
            await asyncio.sleep(0.1)

    def since(self, at: float, ready: bool) -> float:
        """Return the seconds from `at` until the process reported it."""
        later = (when - at for when, what in self.changes if when > at and what == ready)
        return next(later, float("inf"))

    def _ask(self) -> bool:
        try:
            with urlopen(self._url, timeout=5):
                return True
        except HTTPError as error:
            if error.code != 503:
                raise
            return False


async def pings(url: str, found: list[float]) -> None:
    """Measure how long the loop of a process takes to answer a ping.

    A pong passes no queue and no thread.
    """
    async with Wire(url, "/ws/lobby/") as wire:
        while True:
            start = time.monotonic()
            await wire.ping()
            found.append(time.monotonic() - start)
            await asyncio.sleep(PING_EVERY_S)


@asynccontextmanager
async def during(*watches: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these while the block runs."""
    tasks = [asyncio.create_task(watch) for watch in watches]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends


@pytest.mark.target("R6")
@pytest.mark.slow
async def test_frozen_redis_closes_no_socket_and_is_reported(site, figure):
    ready = [Readiness(process.url) for process in site.processes]
    lags: list[float] = []
    async with Swarm(site.url) as swarm:
        await swarm.enter(ROOMS, 6)
        sends = Sends()
        lines = [pings(process.url, lags) for process in site.processes]
        async with during(*lines, *(one.watch() for one in ready)):
            await asyncio.sleep(1)
            frozen_at = time.monotonic()
            site.redis.freeze()
            try:
                while time.monotonic() < frozen_at + FROZEN_S:
                    await sends.of(swarm.guests[::6])
                    await asyncio.sleep(0.2)
            finally:
                site.redis.thaw()
            thawed_at = time.monotonic()
            await asyncio.sleep(AFTER_S)
        figure("sockets closed", closed(swarm.guests), limit=0)
        figure("loop lag (p99)", percentile(lags, 0.99) * 1000, limit=200, unit="ms")
        unready_s = max(one.since(frozen_at, False) for one in ready)
        figure("until /readyz said 503", unready_s, limit=3, unit="s")
        ready_s = max(one.since(thawed_at, True) for one in ready)
        figure("until /readyz said 200 again", ready_s, limit=3, unit="s")
        sends.record(figure)
        true_s = await until_true(swarm.guests, thawed_at)
        figure("until presence was true", true_s, limit=LEASE_AND_SWEEP_S, unit="s")
        heard_s = await until_heard(swarm.guests, thawed_at)
        figure("until events reached everybody", heard_s, limit=LEASE_AND_SWEEP_S, unit="s")
        record_delivery(figure, await swarm.judge())
