"""A wrong clock of one process changes neither presence nor the order of messages."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.clients.swarm import Swarm, flickers
from tests.support.figures.verdicts import closed, record_delivery, until_true
from tests.support.servers.cluster import Process

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
HOUR_MS = 3_600_000
LEASE_AND_MORE_S = 20.0


def with_clock(process: Process, offset: str) -> None:
    """Start a process again, with its wall clock set off."""
    process.stop()
    process.environment |= {
        "LD_PRELOAD": str(LIBRARIES[-1]),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    process.start()


@pytest.mark.target("R12")
@pytest.mark.slow
@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed (apt install faketime)")
@pytest.mark.parametrize("offset", ["+1h", "-1h"])
async def test_wrong_clock_changes_neither_presence_nor_order(site, figure, offset):
    right, wrong = site.processes
    await asyncio.to_thread(with_clock, wrong, offset)
    keys = [f"room-{n}" for n in range(10)]
    async with Swarm(right.url) as swarm:
        here = await swarm.enter(keys, 3)
        there = await swarm.enter(keys, 3, url=wrong.url)
        await until_true(swarm.guests, time.monotonic())
        for guest in swarm.guests:
            guest.events.clear()
        async with swarm.talking(20):
            await asyncio.sleep(LEASE_AND_MORE_S)
        figure("people said to have gone or come", flickers(swarm.guests, swarm.guests), limit=0)
        record_delivery(figure, await swarm.judge())
        times = [message.sent_at for message in here[0].log.messages]
        assert max(times) - min(times) > 0.9 * HOUR_MS, "the clocks agree"
        wrong_order = 0
        for one, other in zip(here[:10], there[:10], strict=True):
            numbers = [await other.post(), await one.post(), await other.post()]
            wrong_order += numbers != sorted(numbers)
        figure("replies numbered before what they answer", wrong_order, limit=0)
        figure("sockets closed", closed(swarm.guests), limit=0)
        await swarm.dismiss(there)
        gone_s = await until_true(here, time.monotonic())
        figure("until people there were gone for those here", gone_s, limit=18, unit="s")
