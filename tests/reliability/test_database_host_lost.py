"""The database's host dies without a word, and the database restarts elsewhere."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from call.bot.socket import RequestRefused, Unreachable
from tests.support.clients.swarm import Guest, Swarm, until
from tests.support.figures.verdicts import ROOMS, closed, record_delivery
from tests.support.servers.cluster import Process
from tests.support.servers.forgetful_proxy import Forgetful
from tests.support.servers.network_namespaces import MISSING, Namespace
from tests.support.servers.postgres import Postgres
from tests.support.servers.room_under_attack import WITHOUT_RATE_LIMITS

Figure = Callable[..., None]

NAME = "database.test"
BACK_S = 20
AGAIN_S = 1.0
SETTLE_S = 1.0

pytestmark = pytest.mark.target("D2")


@pytest.fixture
def way(postgres: Postgres) -> Iterator[Forgetful]:
    """The only route to PostgreSQL."""
    with Forgetful(postgres.port) as way:
        yield way


async def come_in(url: str) -> None:
    """Enter as a page does, which tries again."""
    while True:
        async with Swarm(url) as swarm:
            try:
                await swarm.enter(ROOMS[:1], 1)
            except (RequestRefused, Unreachable):
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
            await back(site.url, everyone, died_at, figure)
        figure("sockets closed", closed(everyone), limit=0)
        record_delivery(figure, await swarm.judge(everyone))


async def back(url: str, everyone: list[Guest], died_at: float, figure: Figure) -> None:
    """Return the seconds until all can write, and somebody can enter."""
    entering = asyncio.create_task(come_in(url))
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


class Named(Process):
    """A process whose database name leads to the address in a file of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        super().__init__(folder, **environment)
        self._hosts = folder / "hosts"

    def names(self, address: str) -> None:
        self._hosts.write_text(f"127.0.0.1 localhost\n{address} {NAME}\n")

    def _run(self, *arguments: str) -> "subprocess.Popen[bytes]":
        mounted = 'mount --bind "$0" /etc/hosts && exec "$@"'
        own = ["unshare", "--mount", "sh", "-c", mounted, str(self._hosts), sys.executable]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*own, "manage.py", *arguments],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@pytest.fixture
def houses() -> Iterator[list[Namespace]]:
    """Two machines on the network, as namespaces."""
    with ExitStack() as closings:
        both = [Namespace(), Namespace()]
        for house in both:
            closings.callback(house.close)
            house.open()
        yield both


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize("place", ["another address", "its own address"])
async def test_chat_recovers_from_a_silent_database_host(
    houses: list[Namespace], tmp_path: Path, figure: Figure, place: str
) -> None:
    first = houses[0]
    later = houses[1] if place == "another address" else first
    with ExitStack() as stops:
        postgres = Postgres(first.own, first.inside)
        stops.callback(postgres.stop)
        postgres.start()
        url = f"postgres://noom@{NAME}:{postgres.port}/postgres"
        noom = Named(tmp_path, DATABASE_URL=url, **WITHOUT_RATE_LIMITS)
        noom.names(first.own)
        stops.callback(noom.stop)
        noom.start()
        async with Swarm(noom.url) as swarm:
            everyone = await swarm.enter(ROOMS[:4], 4)
            async with swarm.talking(20):
                await asyncio.sleep(SETTLE_S)
                first.silence()
                died_at = time.monotonic()
                await asyncio.to_thread(postgres.move, later.own, later.inside)
                noom.names(later.own)
                if later is first:
                    first.speak()
                print("the database was back after", time.monotonic() - died_at)
                await back(noom.url, everyone, died_at, figure)
            figure("sockets closed", closed(everyone), limit=0)
            record_delivery(figure, await swarm.judge(everyone))


@pytest.mark.slow
async def test_quiet_site_returns_after_the_database_host_dies(start_site, way, figure):
    site = start_site(DATABASE_URL=f"postgres://noom@127.0.0.1:{way.port}/postgres")
    async with Swarm(site.url) as swarm:
        (guest,) = await swarm.enter(ROOMS[:1], 1)
        way.forget()
        assert way.forgotten, "nobody had a connection"
        await asyncio.sleep(BACK_S)
        began = time.monotonic()
        await guest.post("after a while")
        await come_in(site.url)
        waited_s = time.monotonic() - began
        figure("wait of the first one after 20 quiet seconds", waited_s, limit=1, unit="s")
        figure("sockets closed", closed([guest]), limit=0)
