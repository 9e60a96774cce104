"""Decisions of an admin without Redis reach every page soon after its return."""

import asyncio
import time

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.clients.admin_client import Admin
from tests.support.clients.protocol_client import Refusal
from tests.support.clients.swarm import Guest, Swarm, until
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.site_database import Stored

pytestmark = pytest.mark.target("D8")

ROOMS = "/admin/chat/room/"
# One room for each decision.
CLOSED, DELETED, AGAIN, REMOVED, ERASED, CLEARED = (
    *("closed", "deleted", "again", "removed"),
    *("erased", "cleared"),
)
KEYS = [CLOSED, DELETED, AGAIN, REMOVED, ERASED, CLEARED]
SURE = {"sure": "yes"}  # the answer to the question of confirmation
SETTLE_S = 2.0
WITHIN_S = 60


class Decisions:
    """An admin at the first process, while its Redis is away."""

    def __init__(self, admin: Admin, stored: Stored) -> None:
        self._admin, self._stored = admin, stored
        rooms = stored.ask("SELECT key, id FROM chat_room")
        self._rows = {str(key): int(row) for key, row in rooms}

    def look(self) -> None:
        """Open the page on which the admin removes people."""
        self._admin.get(f"{ROOMS}{self._rows[REMOVED]}/change/")

    def decide(self, removed: str) -> None:
        [[message]] = self._stored.ask(
            "SELECT id FROM chat_message WHERE room_id = {} AND seq = 2", self._rows[ERASED]
        )
        for path, fields in (
            (f"{ROOMS}{self._rows[CLOSED]}/do/close_rooms/", SURE),
            (f"{ROOMS}{self._rows[DELETED]}/delete/", {"post": "yes"}),
            (f"{ROOMS}{self._rows[AGAIN]}/delete/", {"post": "yes"}),
            (f"{ROOMS}{self._rows[REMOVED]}/remove/{removed}/", SURE),
            (f"{ROOMS}{self._rows[CLEARED]}/do/clear_rooms/", SURE),
            (f"/admin/chat/message/{message}/delete/", {"post": "yes"}),
        ):
            self._admin.post(path, **fields)


def ended(guest: Guest) -> bool:
    """Return whether a page received a final close."""
    return guest.line._task is not None and guest.line._task.done()


def roster_mismatches(guests: list[Guest], removed: Guest) -> list[str]:
    """Return each decision that some page does not show."""
    found = []
    for guest in guests:
        seqs = [message.seq for message in guest.log.messages]
        is_out = guest.key in (CLOSED, DELETED, AGAIN) or guest is removed
        if is_out != ended(guest):
            found.append(f"{guest.nickname} in {guest.key} is {'in' if is_out else 'out'}")
        if guest.key == REMOVED and guest is not removed and removed.id in guest.roster.people:
            found.append(f"{guest.nickname} sees the removed")
        if (guest.key == ERASED and 2 in seqs) or (guest.key == CLEARED and seqs):
            found.append(f"{guest.nickname} shows what was deleted in {guest.key}")
    return found


async def enter_again(url: str) -> Wire:
    """Enter the deleted room as a new person, as soon as Redis admits people."""
    async with asyncio.timeout(WITHIN_S * PATIENCE):
        while True:
            wire = Wire(url, f"/ws/chat/{AGAIN}/", browser="new")
            await wire.__aenter__()
            try:
                await wire.enter("New")
            except (Refusal, ConnectionError, ConnectionClosed):
                await wire.__aexit__()
                await asyncio.sleep(0.2)
            else:
                return wire


async def test_moderation_without_redis_takes_effect_after_its_return(site, figure):
    stored = Stored(site.processes[0].environment["DATABASE_URL"])
    admin = await asyncio.to_thread(Admin, site.processes[0])
    async with Swarm(site.url) as swarm:
        for process in site.processes:
            await swarm.enter(KEYS, 2, url=process.url)
        speakers = {guest.key: guest for guest in swarm.guests}
        for guest in speakers.values():
            for _ in range(3):
                await guest.post()
        shown = lambda: all(len(guest.log.messages) == 3 for guest in swarm.guests)  # noqa: E731
        await until(shown, "the messages everywhere", seconds=WITHIN_S)
        removed = speakers[REMOVED]  # at the other process
        decisions = Decisions(admin, stored)
        await asyncio.to_thread(decisions.look)
        site.redis.kill()
        await asyncio.to_thread(decisions.decide, removed.id)
        await asyncio.to_thread(site.redis.start)
        back = time.monotonic()
        newcomer = await enter_again(site.processes[1].url)
        assert newcomer.hello["messages"] == []
        await until(
            lambda: not roster_mismatches(swarm.guests, removed), "the truth", seconds=WITHIN_S
        )
        true_s = time.monotonic() - back
        figure("until true on every page, after Redis' return", true_s, limit=10, unit="s")
        await asyncio.sleep(SETTLE_S)
        figure(
            "pages with something untrue", len(roster_mismatches(swarm.guests, removed)), limit=0
        )
        assert (await newcomer.post("still here"))["seq"] == 1
        await newcomer.__aexit__()
