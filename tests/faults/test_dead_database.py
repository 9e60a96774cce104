"""The database's host dies without a word, and the database is back at once elsewhere."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from call.wire import Refused, Unreachable
from tests.faults.swarm import Swarm, until
from tests.faults.verdicts import ROOMS, closed, told
from tests.live.forgetful import Forgetful
from tests.live.postgres import Postgres

BACK_S = 20
AGAIN_S = 1.0
SETTLE_S = 1.0

pytestmark = pytest.mark.bar("D2")


@pytest.fixture
def way(postgres: Postgres) -> Iterator[Forgetful]:
    """The only way to PostgreSQL."""
    with Forgetful(postgres.port) as way:
        yield way


async def come_in(url: str) -> None:
    """Enters as a page does, which tries again."""
    while True:
        async with Swarm(url) as swarm:
            try:
                await swarm.enter(ROOMS[:1], 1)
            except (Refused, Unreachable):
                await asyncio.sleep(AGAIN_S)
            else:
                return


async def test_chat_and_entering_return_after_the_database_host_dies(start_site, way, figure):
    site = start_site(DATABASE_URL=f"postgres://noom@127.0.0.1:{way.port}/postgres")
    async with Swarm(site.url) as swarm:
        everyone = await swarm.enter(ROOMS[:4], 4)
        async with swarm.talking(20):
            await asyncio.sleep(SETTLE_S)
            way.forget()
            died_at = time.monotonic()
            assert way.forgotten, "nobody had a connection"
            entering = asyncio.create_task(come_in(site.url))
            before = {guest.id: len(guest.acked) for guest in everyone}
            await until(
                lambda: all(len(guest.acked) > before[guest.id] for guest in everyone),
                "everybody to be heard again",
                seconds=60,
            )
            spoken_s = time.monotonic() - died_at
            await entering
            entered_s = time.monotonic() - died_at
        figure("until everybody could speak", spoken_s, limit=BACK_S, unit="s")
        figure("until somebody could enter", entered_s, limit=BACK_S, unit="s")
        figure("sockets closed", closed(everyone), limit=0)
        told(figure, await swarm.judge(everyone))


@pytest.mark.long
async def test_a_quiet_site_returns_after_the_database_host_dies(start_site, way, figure):
    site = start_site(DATABASE_URL=f"postgres://noom@127.0.0.1:{way.port}/postgres")
    async with Swarm(site.url) as swarm:
        (guest,) = await swarm.enter(ROOMS[:1], 1)
        way.forget()
        assert way.forgotten, "nobody had a connection"
        await asyncio.sleep(BACK_S)
        began = time.monotonic()
        await guest.say("after a while")
        await come_in(site.url)
        waited_s = time.monotonic() - began
        figure("wait of the first one after 20 quiet seconds", waited_s, limit=1, unit="s")
        figure("sockets closed", closed([guest]), limit=0)
