"""What the faults have in common: load, how long until everything is true, what is told of it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from chat import messages as m
from tests.faults.swarm import Guest, Verdict, until, untrue

LEASE_AND_SWEEP_S = 18.0
ASK_EVERY_S = 0.2


def told(figure: Callable[..., None], verdict: Verdict) -> None:
    """The figures of what was said."""
    assert verdict.said, "nobody said anything"
    figure("acknowledged messages that somebody misses", verdict.lost, limit=0)
    figure("messages shown twice", verdict.doubled, limit=0)
    figure("numbers that mean another message to somebody", verdict.disordered, limit=0)


def closed(guests: Iterable[Guest]) -> int:
    """How many lines these guests have lost."""
    return sum(len(guest.line.losses) for guest in guests)


async def until_true(guests: Iterable[Guest], since: float) -> float:
    """Seconds from `since` until every guest's roster is true."""
    everyone = list(guests)
    await until(lambda: not untrue(everyone), "the true roster everywhere", seconds=60)
    return time.monotonic() - since


async def until_rebuilt(guests: Iterable[Guest], since: float) -> float:
    """Seconds from `since` until whoever asks is told of everyone in the room."""
    rooms: dict[str, list[Guest]] = defaultdict(list)
    for guest in guests:
        rooms[guest.key].append(guest)
    async with asyncio.timeout(60):
        for here in rooms.values():
            while await _asked(here[0]) != {guest.id for guest in here}:  # noqa: ASYNC110
                await asyncio.sleep(ASK_EVERY_S)
    return time.monotonic() - since


async def _asked(guest: Guest) -> set[str]:
    answer = await guest.line.request(m.People(), m.PeopleAck)
    return {person.id for person in answer.people}
