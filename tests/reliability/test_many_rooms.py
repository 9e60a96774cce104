"""A process dies with many rooms: its people disappear everywhere in time."""

import asyncio
import time

import pytest

from tests.support.clients.swarm import Swarm, roster_mismatches, until
from tests.support.figures.verdicts import LEASE_AND_SWEEP_S
from tests.support.servers.room_under_attack import WITHOUT_RATE_LIMITS

FEW, MANY = 250, 1_000  # rooms; one step of a sweep takes 200 places
LONGEST_S = 120.0


async def killed_with(site, figure, rooms: int) -> None:
    """Kill a process that has one of two people in each of so many rooms."""
    keys = [f"room-{n}" for n in range(rooms)]
    victim, other = site.processes
    async with Swarm(other.url) as swarm:
        dying = await swarm.enter(keys, 1, url=victim.url)
        staying = await swarm.enter(keys, 1, url=other.url)
        await until(
            lambda: not roster_mismatches(swarm.guests), "everybody to see both", seconds=60
        )
        at = time.monotonic()
        victim.kill()
        await asyncio.gather(*(guest.stop() for guest in dying))
        await until(
            lambda: not roster_mismatches(staying), "the dead to be gone", seconds=LONGEST_S
        )
        what = f"until the dead of {rooms:,} rooms were gone"
        took_s = time.monotonic() - at
        figure(what, took_s, limit=LEASE_AND_SWEEP_S, unit="s")
        lost = sum(len(guest.line.losses) for guest in staying)
        figure("lines of others that were lost", lost, limit=0)


@pytest.mark.target("D14")
async def test_members_of_a_killed_process_leave_many_rooms(start_site, figure):
    await killed_with(start_site(**WITHOUT_RATE_LIMITS), figure, FEW)


@pytest.mark.target("D14")
@pytest.mark.slow
async def test_members_of_a_killed_process_leave_a_thousand_rooms(start_site, figure):
    await killed_with(start_site(**WITHOUT_RATE_LIMITS), figure, MANY)
