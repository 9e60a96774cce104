"""A process stalls for half a minute, as on a machine that swaps, and resumes.

Its presence is then out of date.
"""

import asyncio
import time

import pytest

from chat.protocol import close_codes
from tests.support.clients.swarm import Swarm, flickers, roster_mismatches
from tests.support.figures.verdicts import LEASE_AND_SWEEP_S, ROOMS, record_delivery, until_true

FROZEN_S = 30.0  # longer than a lease, and than a page waits on a silent connection
MESSAGES_PER_S = 5


@pytest.mark.target("C4")
async def test_resumed_process_has_true_rosters(site, figure):
    process = site.processes[1]
    async with Swarm(site.url) as swarm:
        guests = await swarm.enter(ROOMS, 6)
        async with swarm.talking(MESSAGES_PER_S):
            await asyncio.sleep(1)
            process.freeze()
            await asyncio.sleep(FROZEN_S)
            moved = [guest for guest in guests if guest.line.losses]
            assert len(moved) > len(guests) / 4, "hardly anybody was at the frozen process"
            for guest in guests:
                guest.events.clear()
            before = {guest.id: len(guest.line.losses) for guest in guests}
            process.thaw()
            thawed_at = time.monotonic()
            true_s = await until_true(guests, thawed_at)
            await asyncio.sleep(LEASE_AND_SWEEP_S)
        since = [loss for guest in guests for loss in guest.line.losses[before[guest.id] :]]
        replaced = sum(loss.code == close_codes.REPLACED for loss in since)
        figure("newer lines that were ended for older ones", replaced, limit=0)
        figure("lines lost after it went on", len(since), limit=0)
        figure("people who were said to have gone or come", flickers(guests, moved), limit=0)
        figure("until presence was true", true_s, limit=LEASE_AND_SWEEP_S, unit="s")
        figure("rosters that were untrue a lease later", len(roster_mismatches(guests)), limit=0)
        record_delivery(figure, await swarm.judge())
