"""A stalled database delays nobody who does not need it, and promises no message."""

import asyncio
import time
from collections.abc import Callable

import pytest

from chat.protocol import messages as m
from tests.support.clients.swarm import Guest, Swarm, flickers
from tests.support.figures.verdicts import (
    LEASE_AND_SWEEP_S,
    ROOMS,
    closed,
    record_delivery,
    until_true,
)
from tests.support.patience import PATIENCE

STALLED_S = 3.0
LONG_S = 25.0  # longer than a lease, and than a page waits on a silent connection
SETTLE_S = 1.0
ASK_EVERY_S = 0.02


async def waits(guests: list[Guest], until: float) -> list[float]:
    """Return the seconds of each guest's wait for each answer without the database."""
    found = []

    async def ask(guest: Guest) -> None:
        while time.monotonic() < until:
            start = time.monotonic()
            await guest.line.request(m.Typing(on=True), m.EmptyAck)
            found.append(time.monotonic() - start)
            await asyncio.sleep(ASK_EVERY_S * len(guests))

    await asyncio.gather(*(ask(guest) for guest in guests))
    return found


@pytest.mark.target("R8")
@pytest.mark.slow
async def test_stalled_database_closes_no_connection(start_site, postgres, figure):
    site = start_site(DATABASE_URL=postgres.url)
    async with Swarm(site.url) as swarm:
        everyone = await swarm.enter(ROOMS, 6)
        async with swarm.talking(5):
            await asyncio.sleep(SETTLE_S)
            for guest in everyone:
                guest.events.clear()
            postgres.freeze()
            try:
                await asyncio.sleep(LONG_S)
            finally:
                postgres.thaw()
            back_at = time.monotonic()
            true_s = await until_true(everyone, back_at)
        figure("25 s: until presence was true", true_s, limit=LEASE_AND_SWEEP_S, unit="s")
        figure("25 s: people who were said to have gone", flickers(everyone, everyone), limit=0)
        figure("25 s: sockets closed", closed(everyone), limit=0)
        record_delivery(figure, await swarm.judge())


async def _still(count: Callable[[], int]) -> int:
    """Return a count, once pending frames have arrived."""
    before = -1
    while count() != before:
        before = count()
        await asyncio.sleep(0.2 * PATIENCE)
    return before


@pytest.mark.target("R8")
async def test_stalled_database_blocks_only_its_users(start_site, postgres, figure):
    site = start_site(DATABASE_URL=postgres.url)
    async with Swarm(site.url) as swarm:
        writers = await swarm.enter(["written-1", "written-2"], 10)
        others = await swarm.enter(["spoken-1", "spoken-2"], 5)
        async with swarm.talking(20, writers):
            await asyncio.sleep(SETTLE_S)
            postgres.freeze()
            try:
                before = await _still(lambda: sum(len(guest.acked) for guest in writers))
                found = await waits(others, time.monotonic() + STALLED_S)
                acked = sum(len(guest.acked) for guest in writers) - before
            finally:
                postgres.thaw()
        longest_ms = max(found) * 1000
        figure("longest wait of a person who needed no database", longest_ms, limit=150, unit="ms")
        figure("messages acknowledged while nothing could be stored", acked, limit=0)
        figure("sockets closed", closed(swarm.guests), limit=0)
        record_delivery(figure, await swarm.judge(writers))
