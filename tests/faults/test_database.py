"""The database stands still: whoever does not need it does not wait, and nothing is promised."""

import asyncio
import time

import pytest

from chat import messages as m
from tests.faults.swarm import Guest, Swarm
from tests.faults.verdicts import closed, told

STALLED_S = 3.0
SETTLE_S = 1.0
ASK_EVERY_S = 0.02


async def waits(guests: list[Guest], until: float) -> list[float]:
    """How long each of these waited for each answer that takes no database, in seconds."""
    found = []

    async def ask(guest: Guest) -> None:
        while time.monotonic() < until:
            start = time.monotonic()
            await guest.line.request(m.Typing(on=True), m.EmptyAck)
            found.append(time.monotonic() - start)
            await asyncio.sleep(ASK_EVERY_S * len(guests))

    await asyncio.gather(*(ask(guest) for guest in guests))
    return found


@pytest.mark.bar("R8")
async def test_a_stalled_database_holds_up_nobody_who_needs_it_not(start_site, postgres, figure):
    site = start_site(DATABASE_URL=postgres.url)
    async with Swarm(site.url) as swarm:
        writers = await swarm.enter(["written-1", "written-2"], 10)
        others = await swarm.enter(["spoken-1", "spoken-2"], 5)
        async with swarm.talking(20, writers):
            await asyncio.sleep(SETTLE_S)
            postgres.freeze()
            try:
                await asyncio.sleep(0.2)  # what was on its way
                before = sum(len(guest.acked) for guest in writers)
                found = await waits(others, time.monotonic() + STALLED_S)
                acked = sum(len(guest.acked) for guest in writers) - before
            finally:
                postgres.thaw()
        longest_ms = max(found) * 1000
        figure("longest wait of whoever needed no database", longest_ms, limit=150, unit="ms")
        figure("messages acknowledged while nothing could be stored", acked, limit=0)
        figure("sockets closed", closed(swarm.guests), limit=0)
        told(figure, await swarm.judge(writers))
