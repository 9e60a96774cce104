"""Deletion of a long room, or of all its messages, while other rooms go on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from chat.protocol import messages as m
from tests.support.clients.admin_client import Admin
from tests.support.clients.bystanders import memory_mb
from tests.support.clients.swarm import Guest, Swarm, new_id, until
from tests.support.figures.verdicts import timed
from tests.support.patience import PATIENCE
from tests.support.servers.site_database import Stored
from tests.support.servers.two_process_site import TwoProcessSite

pytestmark = [pytest.mark.target("D3"), pytest.mark.slow, pytest.mark.timeout(600)]

LONG = 100_000
BYSTANDERS = ["beside-1", "beside-2", "beside-3"]
EACH = 2
SAY_EVERY_S = 0.15
SETTLE_S = 3.0
DONE_WITHIN_S = 240


@pytest.fixture(params=["sqlite", "postgres"])
def stored_site(
    start_site: Callable[..., TwoProcessSite], request: pytest.FixtureRequest
) -> TwoProcessSite:
    """A site on each of the two databases."""
    if request.param == "sqlite":
        return start_site()
    return start_site(DATABASE_URL=request.getfixturevalue("postgres").url)


class Meanwhile:
    """The waits of people who write, and enter, in other rooms."""

    def __init__(self) -> None:
        self.waits: list[tuple[float, str]] = []

    @asynccontextmanager
    async def going_on(self, guests: list[Guest]) -> AsyncIterator[None]:
        ending = asyncio.Event()

        async def write(guest: Guest) -> None:
            while not ending.is_set():
                message = m.NewMessage(text="hello", client_id=new_id())
                self.waits.append(await timed(guest.line.request(message, m.NewMessageAck)))
                await asyncio.sleep(SAY_EVERY_S)

        writers = [asyncio.create_task(write(guest)) for guest in guests]
        try:
            yield
        finally:
            ending.set()
            await asyncio.gather(*writers)

    def record(self, figure: Callable[..., None], what: str) -> None:
        failed = [answer for _, answer in self.waits if answer != "ok"]
        figure(f"{what}: messages of others that failed", len(failed), limit=0)
        longest_ms = max(seconds for seconds, _ in self.waits) * 1000
        figure(f"{what}: longest wait of others", longest_ms, limit=150, unit="ms")


async def peak_memory(site: TwoProcessSite, ending: asyncio.Event) -> float:
    """Return the growth of the larger process until then, in MB."""
    before = [memory_mb(process) for process in site.processes]
    growth = 0.0
    while not ending.is_set():
        now = [memory_mb(process) for process in site.processes]
        growth = max(growth, *(b - a for a, b in zip(before, now, strict=True)))
        await asyncio.sleep(0.05)
    return growth


async def act(
    site: TwoProcessSite, figure: Callable[..., None], what: str, path: str, **fields: str
) -> tuple[int, list[Guest]]:
    """Let an admin act on a long room with two people in it; return its row and its people, when
    all its messages are gone."""
    stored = Stored(site.processes[0].environment["DATABASE_URL"])
    admin = await asyncio.to_thread(Admin, site.processes[0])
    async with Swarm(site.url) as swarm:
        inside = await swarm.enter([f"long-{what}"], 2)
        others = await swarm.enter(BYSTANDERS, EACH)
        room = await asyncio.to_thread(stored.fill, f"long-{what}", LONG)
        path = path.format(room)
        question = await asyncio.to_thread(admin.get, f"/admin/chat/room/{room}/delete/")
        assert f"{LONG}" in question
        figure(f"{what}: size of the question", len(question) / 1000, limit=50, unit="kB")
        meanwhile, ending = Meanwhile(), asyncio.Event()
        async with meanwhile.going_on(others):
            await asyncio.sleep(SETTLE_S)
            print("longest wait before", max(seconds for seconds, _ in meanwhile.waits))
            growth = asyncio.create_task(peak_memory(site, ending))
            start = time.monotonic()
            await asyncio.to_thread(admin.post, path, **fields)
            print(what, "answered after", time.monotonic() - start)
            async with asyncio.timeout(DONE_WITHIN_S * PATIENCE):
                while await asyncio.to_thread(stored.count, "chat_message", room):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            print(what, "done after", time.monotonic() - start)
            await asyncio.sleep(SETTLE_S)
            ending.set()
        meanwhile.record(figure, what)
        figure(f"{what}: memory", await growth, limit=20, unit="MB")
        figure(
            f"{what}: sockets of others closed", sum(len(g.line.losses) for g in others), limit=0
        )
        if what == "erase":
            await until(lambda: all(not g.log.missing for g in inside), "the deletion", seconds=15)
            shown = sum(len(guest.log.messages) for guest in inside)
            figure("erase: messages still shown", shown, limit=0)
        return room, inside


async def test_deleting_a_long_room_delays_no_other_client(stored_site, figure):
    path = "/admin/chat/room/{}/delete/"
    room, inside = await act(stored_site, figure, "delete", path, post="yes")
    stored = Stored(stored_site.processes[0].environment["DATABASE_URL"])
    await until(lambda: not stored.count("chat_room", room), "the end of the row", seconds=10)
    figure("delete: deletions left", stored.count("chat_deletion", room), limit=0)
    reconnecting = sum(guest.line._task is not None and guest.line._task.done() for guest in inside)
    figure("delete: people who were not sent out", len(inside) - reconnecting, limit=0)


async def test_erasing_messages_delays_no_other_client(stored_site, figure):
    path = "/admin/chat/room/{}/do/clear_rooms/"
    room, _ = await act(stored_site, figure, "erase", path, sure="yes")
    stored = Stored(stored_site.processes[0].environment["DATABASE_URL"])
    figure("erase: deletions left beyond one", stored.count("chat_deletion", room) - 1, limit=0)
