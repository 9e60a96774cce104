"""A process or the database stands still while pages come back: the newest connection stays."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from call import wire
from chat import closes
from tests.faults.swarm import Guest, Swarm, until
from tests.faults.verdicts import told, until_true

Fault = AbstractContextManager[None]

KEYS, EACH = [f"room-{n}" for n in range(5)], 4
SHORT_S, LONG_S = (1.0, 3.0), (1.0, 14.0)
ROUNDS = 10  # of each fault, with twenty people who come back in each
BACK_WITHIN_S = 30.0
# A page gives a handshake 4 s and doubts a line after 2.5 s; an impatient person reloads sooner.
IMPATIENT_S = 0.7


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Pages that open another connection while an older one still waits for its answer."""
    monkeypatch.setattr(wire, "OPEN_DEADLINE_S", IMPATIENT_S)
    monkeypatch.setattr(wire, "ANSWER_DEADLINE_S", IMPATIENT_S)


@contextmanager
def suspended(site, postgres) -> Iterator[None]:
    """One of two processes stands still; whoever comes back may reach either."""
    site.processes[1].freeze()
    try:
        yield
    finally:
        site.processes[1].thaw()


@contextmanager
def stalled(site, postgres) -> Iterator[None]:
    """The database stands still."""
    postgres.freeze()
    try:
        yield
    finally:
        postgres.thaw()


async def come_back(swarm: Swarm, fault: Fault, length_s: float) -> None:
    """All lose their line at the beginning of the fault, and come back in it or after it."""
    with fault:
        for guest in swarm.guests:
            guest.line.cut()
        await asyncio.sleep(length_s)
    await until(lambda: settled(swarm.guests), "all to be back", seconds=BACK_WITHIN_S)


def settled(guests: list[Guest]) -> bool:
    return all(guest.line.open.is_set() or guest.line.is_over for guest in guests)


async def judged(site, postgres, figure, rounds: int, within: tuple[float, float]) -> None:
    async with Swarm(site.url) as swarm:
        await swarm.enter(KEYS, EACH)
        for number in range(2 * rounds):
            fault = suspended if number % 2 else stalled
            length_s = random.uniform(*within)
            await come_back(swarm, fault(site, postgres), length_s)
        ended = [guest for guest in swarm.guests if guest.line.is_over]
        lost = sum(len(guest.line.losses) for guest in swarm.guests)
        assert lost >= 2 * rounds * len(swarm.guests), "not everybody lost the line each time"
        replaced = [guest for guest in ended if guest.line.over_with == str(closes.REPLACED)]
        figure("newer connections that were ended for older ones", len(replaced), limit=0)
        figure("pages that stay away", len(ended), limit=0)
        true_s = await until_true(swarm.guests, time.monotonic())
        figure("until presence was true afterwards", true_s, limit=18, unit="s")
        await asyncio.gather(*(guest.say() for guest in swarm.guests))
        told(figure, await swarm.judge())


@pytest.mark.bar("D9")
async def test_a_stall_ends_no_newer_connection_for_an_older_one(start_site, postgres, figure):
    await judged(start_site(DATABASE_URL=postgres.url), postgres, figure, 1, SHORT_S)


@pytest.mark.bar("D9")
@pytest.mark.long
async def test_long_stalls_end_no_newer_connection_for_an_older_one(start_site, postgres, figure):
    await judged(start_site(DATABASE_URL=postgres.url), postgres, figure, ROUNDS, LONG_S)
