"""Admin actions on rooms in which people write all the time.

An admin saves, renames, closes, reopens and deletes them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.clients.admin_client import Admin, fields_of
from tests.support.clients.protocol_client import Refusal
from tests.support.clients.swarm import new_id
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.site_database import Stored
from tests.support.servers.two_process_site import TwoProcessSite

pytestmark = pytest.mark.target("D1")

ROUNDS = 8
EACH_S = 1 / 8
AGAIN_S = 0.1
DONE_WITHIN_S = 30
ROOMS = "/admin/chat/room/"
# The eight write in these rooms: one is saved and renamed, one closed and reopened, one deleted.
SAVED, SHUT, DOOMED = "saved", "shut", "doomed"
PLACES = [SAVED, SAVED, SAVED, SAVED, SHUT, SHUT, DOOMED, DOOMED]


class Writer:
    """One guest who writes eight messages a second.

    Like a page, it repeats an unanswered message, and returns as soon as the room admits people.
    """

    def __init__(self, url: str, key: str, number: int) -> None:
        self.url, self.key, self.browser = url, key, f"browser-{number}"
        self.stored: dict[str, int] = {}  # numbers by client_id, as they were acknowledged
        self.refused: Counter[str] = Counter()
        self.ending = asyncio.Event()
        self.entered = asyncio.Event()

    async def write(self) -> None:
        waiting: str | None = None
        while not self.ending.is_set():
            path = f"/ws/chat/{self.key}/"
            async with Wire(self.url, path, browser=self.browser) as wire:
                try:
                    await wire.enter("Writer")
                    self.entered.set()
                    while not self.ending.is_set():
                        waiting = waiting or new_id()
                        self.stored[waiting] = (await wire.post("words", waiting))["seq"]
                        waiting = None
                        await asyncio.sleep(EACH_S)
                except Refusal as refusal:
                    if waiting and wire.hello:
                        self.refused[refusal.code] += 1
                        waiting = None
                    if self.key == DOOMED and refusal.code == "room_closed":
                        return
                    await asyncio.sleep(AGAIN_S)
                except (ConnectionClosed, ConnectionError):
                    if self.key == DOOMED:
                        return
                    await asyncio.sleep(AGAIN_S)


async def work(admin: Admin, rows: dict[str, int]) -> None:
    """Act as the admin does, each action as its pages do it."""

    def save(round: int) -> None:
        path = f"{ROOMS}{rows[SAVED]}/change/"
        drawn = fields_of(admin.get(path))
        admin.post(path, **drawn)
        admin.post(path, **drawn | {"name": f"Saved {round}"})

    def shut_and_open() -> None:
        for action in ("close_rooms", "reopen_rooms"):
            admin.post(f"{ROOMS}{rows[SHUT]}/do/{action}/", sure="yes")

    for round in range(ROUNDS):
        await asyncio.to_thread(save, round)
        await asyncio.to_thread(shut_and_open)
        if round == ROUNDS // 2:
            await asyncio.to_thread(admin.post, f"{ROOMS}{rows[DOOMED]}/delete/", post="yes")


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_admin_at_work_fails_no_message(
    start_site: Callable[..., TwoProcessSite], request: pytest.FixtureRequest, figure, database: str
):
    postgres = {"DATABASE_URL": request.getfixturevalue("postgres").url} if "g" in database else {}
    site = start_site(**postgres)
    stored = Stored(site.processes[0].environment["DATABASE_URL"])
    admin = await asyncio.to_thread(Admin, site.processes[0])
    writers = [Writer(site.url, key, number) for number, key in enumerate(PLACES)]
    writing = [asyncio.create_task(writer.write()) for writer in writers]
    async with asyncio.timeout(DONE_WITHIN_S * PATIENCE):
        await asyncio.gather(*(writer.entered.wait() for writer in writers))
    rows = {key: stored.ask("SELECT id FROM chat_room WHERE key = {}", key)[0][0] for key in PLACES}
    await work(admin, rows)
    for writer in writers:
        writer.ending.set()
    async with asyncio.timeout(DONE_WITHIN_S * PATIENCE):
        await asyncio.gather(*writing)
    judge(stored, writers, rows, figure)
    [[name]] = stored.ask("SELECT name FROM chat_room WHERE key = {}", SAVED)
    assert name == f"Saved {ROUNDS - 1}"
    assert not stored.count("chat_room", rows[DOOMED])
    assert_no_failure(*(process.log for process in site.processes))


def judge(
    stored: Stored, writers: list[Writer], rows: dict[str, int], figure: Callable[..., None]
) -> None:
    said = sum(len(writer.stored) for writer in writers)
    assert said > ROUNDS * len(writers), "too little was said"
    refused: Counter[str] = sum((w.refused for w in writers if w.key != DOOMED), Counter())
    elsewhere: Counter[str] = sum((w.refused for w in writers if w.key == DOOMED), Counter())
    figure("messages that failed", sum(refused.values()), limit=0)
    del elsewhere["room_closed"]
    figure("messages of a deleted room with another answer", sum(elsewhere.values()), limit=0)
    missing = 0
    for key in (SAVED, SHUT):
        found = stored.ask("SELECT seq, client_id FROM chat_message WHERE room_id = {}", rows[key])
        kept = {str(client_id).replace("-", ""): seq for seq, client_id in found}
        assert len({seq for seq, _ in found}) == len(found)
        for writer in writers:
            if writer.key == key:
                mine = {one.replace("-", ""): seq for one, seq in writer.stored.items()}
                missing += len(mine.items() - kept.items())
    figure("acknowledged messages that are not stored", missing, limit=0)
