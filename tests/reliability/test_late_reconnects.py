"""The newest connection stays when a process or the database stalls during reconnects."""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from call.bot import socket as wire
from chat.protocol import close_codes
from tests.support.clients.swarm import Guest, Swarm, until
from tests.support.clients.websocket import Wire
from tests.support.figures.verdicts import record_delivery, until_true

Fault = AbstractContextManager[None]

KEYS, EACH = [f"room-{n}" for n in range(5)], 4
LONG_S = (1.0, 14.0)
PAGES = 20
HEAD_START_S = 0.5
ROUNDS = 10  # of each fault, with twenty people who reconnect in each
BACK_WITHIN_S = 30.0
# A page gives a handshake 4 s and probes a connection after 2.5 s; an impatient person reloads
# sooner.
IMPATIENT_S = 0.7


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Let pages open another connection while an older one still waits for its answer."""
    monkeypatch.setattr(wire, "OPEN_TIMEOUT_S", IMPATIENT_S)
    monkeypatch.setattr(wire, "ANSWER_TIMEOUT_S", IMPATIENT_S)


@contextmanager
def suspended(site, postgres) -> Iterator[None]:
    """Suspend one of two processes; a reconnect may reach either."""
    site.processes[1].freeze()
    try:
        yield
    finally:
        site.processes[1].thaw()


@contextmanager
def stalled(site, postgres) -> Iterator[None]:
    """Stall the database."""
    postgres.freeze()
    try:
        yield
    finally:
        postgres.thaw()


async def come_back(swarm: Swarm, fault: Fault, length_s: float) -> None:
    """Cut all connections at the beginning of the fault.

    They return during it or after it.
    """
    with fault:
        for guest in swarm.guests:
            guest.line.cut()
        await asyncio.sleep(length_s)
    await until(lambda: settled(swarm.guests), "all to be back", seconds=BACK_WITHIN_S)


def settled(guests: list[Guest]) -> bool:
    return all(guest.line.open.is_set() or guest.line.is_over for guest in guests)


class Returning:
    """A page whose older connection waits at one process while it opens a newer one.

    The newer connection goes to another process.
    """

    def __init__(self, site, number: int) -> None:
        path = f"/ws/chat/{KEYS[number % len(KEYS)]}/"
        self.newer = Wire(site.processes[0].url, path, browser=f"b{number}")
        self.older = Wire(site.processes[1].url, path, token=self.newer.token)
        self.answered: list[Wire] = []  # in the order of the answers

    async def come_in(self, wire: Wire, connection: int) -> None:
        # A machine as slow as that may refuse the handshake; the page would try again.
        await wire.__aenter__()
        with contextlib.suppress(ConnectionError):
            await wire.enter("Page", connection=connection)
        self.answered.append(wire)

    @property
    def is_decided(self) -> bool:
        return any(wire.close_code is not None for wire in (self.newer, self.older))

    async def see_off(self) -> None:
        await asyncio.gather(*(w.__aexit__() for w in (self.newer, self.older)))


@pytest.mark.target("D9")
@pytest.mark.parametrize("fault", [suspended, stalled])
async def test_older_connection_served_last_ends_no_newer_one(start_site, postgres, figure, fault):
    site = start_site(DATABASE_URL=postgres.url)
    pages = [Returning(site, number) for number in range(PAGES)]
    with ExitStack() as slower:
        with fault(site, postgres):
            older = [asyncio.create_task(page.come_in(page.older, 1)) for page in pages]
            await asyncio.sleep(HEAD_START_S)
            newer = [asyncio.create_task(page.come_in(page.newer, 2)) for page in pages]
            if fault is stalled:
                # The older connections' process reads them before the newer ones, and is the last
                # to hear from the database.
                await asyncio.sleep(HEAD_START_S)
                slower.enter_context(suspended(site, postgres))
            else:
                await asyncio.gather(*newer)
        await asyncio.gather(*newer)
    await asyncio.gather(*older)
    late = sum(page.answered[0] is page.newer for page in pages)
    print(f"{late} of {PAGES} older connections were served after the newer ones")
    assert late > PAGES / 2, "the order in question was not met"
    await until(lambda: all(page.is_decided for page in pages), "one of two to end", seconds=20)
    ended = sum(page.newer.close_code is not None for page in pages)
    figure("newer connections that were ended for older ones", ended, limit=0)
    if not ended:
        await asyncio.gather(*(page.newer.post("still here") for page in pages))
    await asyncio.gather(*(page.see_off() for page in pages))


@pytest.mark.target("D9")
@pytest.mark.slow
async def test_long_stalls_end_no_newer_connection_for_an_older_one(start_site, postgres, figure):
    site = start_site(DATABASE_URL=postgres.url)
    async with Swarm(site.url) as swarm:
        await swarm.enter(KEYS, EACH)
        for number in range(2 * ROUNDS):
            fault = suspended if number % 2 else stalled
            length_s = random.uniform(*LONG_S)
            await come_back(swarm, fault(site, postgres), length_s)
        ended = [guest for guest in swarm.guests if guest.line.is_over]
        lost = sum(len(guest.line.losses) for guest in swarm.guests)
        assert lost >= 2 * ROUNDS * len(swarm.guests), "not everybody lost the line each time"
        replaced = [guest for guest in ended if guest.line.over_with == str(close_codes.REPLACED)]
        figure("newer connections that were ended for older ones", len(replaced), limit=0)
        figure("pages that stay away", len(ended), limit=0)
        true_s = await until_true(swarm.guests, time.monotonic())
        figure("until presence was true afterwards", true_s, limit=18, unit="s")
        await asyncio.gather(*(guest.post() for guest in swarm.guests))
        record_delivery(figure, await swarm.judge())
