"""Each message and each page, tried by everyone, against the tables of SECURITY.md."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.signing import get_cookie_signer
from django.urls import URLPattern, URLResolver, get_resolver

from chat import tokens as identity
from noom_project.monitoring.endpoints import ENDPOINTS
from noom_project.protocol_writer import SOCKETS
from tests.support.browsers.visitor import Visitor, account
from tests.support.clients.admin_client import Admin
from tests.support.clients.protocol_client import Refusal
from tests.support.figures.security_tables import cells
from tests.support.messages import forged
from tests.support.servers import room_under_attack
from tests.support.servers.cluster import Process
from tests.support.servers.room_under_attack import (
    SESSION,
    RecordingHttpSocket,
    RecordingSocket,
    TargetRoom,
)

ADMITTED = {"guest", "host"}
ANSWER_S = 0.3  # seconds for events that an outsider might receive besides the answer
ANY_OTHER = "any other page of the admin"


def tokens(key: str) -> dict[str, str]:
    """Return the token of each person of the tables.

    A fresh page of a browser of its own.
    """

    def token(who: str, key: str = key) -> str:
        return identity.issue(key=key, browser=browser(who, key), room_name="Theirs")

    found = {who: token(who) for who in ("removed", "guest", "host")}
    long_ago = time.time() - 2 * settings.TOKEN_MAX_AGE_S
    with patch("django.core.signing.time.time", return_value=long_ago):
        found["stale"] = token("stale")
    return found | {"waiting": token("waiting", full(key)), "other room": token("o", "elsewhere")}


def fresh_token(key: str) -> str:
    """Return the token of a page whose socket has not entered, nor one before it."""
    return identity.issue(key=key, browser=browser("not entered", key), room_name="Theirs")


def full(key: str) -> str:
    """Return the room with no place left."""
    return key.replace("hidden", "full")


def browser(who: str, key: str) -> str:
    return f"{who}-{key}"[:32]


Recorder = type[RecordingSocket | RecordingHttpSocket]


class Crowd:
    """All people of the tables, each with the means of a try."""

    def __init__(
        self,
        room: TargetRoom,
        tokens: dict[str, str],
        recorder: Recorder = RecordingSocket,
    ) -> None:
        self.room, self._tokens, self._recorder = room, tokens, recorder
        self.pk = ""  # of the room, in the admin

    def token(self, who: str) -> str:
        return self._tokens.get(who) or fresh_token(self.room.key)

    @asynccontextmanager
    async def socket(
        self, socket: str, who: str, token: str
    ) -> AsyncIterator[RecordingSocket | RecordingHttpSocket]:
        """Open a fresh socket of a person, as far in as that person gets."""
        url = self.room.there.url
        key = full(self.room.key) if who == "waiting" else self.room.key
        path = "/ws/lobby/" if socket == "lobby" else f"/ws/{socket}/{key}/"
        async with AsyncExitStack() as stack:
            if who in ADMITTED and socket != "chat":
                chat = RecordingSocket(url, f"/ws/chat/{key}/", token=token)
                await (await stack.enter_async_context(chat)).enter(who)
            wire: RecordingSocket | RecordingHttpSocket = self._recorder(url, path, token=token)
            await stack.enter_async_context(wire)
            if who in ADMITTED and socket == "chat":
                await wire.enter(who)
            if who in ADMITTED and socket == "call":
                await wire.join(who)
            if who == "waiting" and socket != "lobby":
                await self._wait(wire, socket)
            yield wire

    async def _wait(self, wire: RecordingSocket | RecordingHttpSocket, socket: str) -> None:
        with pytest.raises(Refusal):
            await (wire.enter("waiting") if socket == "chat" else wire.join("waiting"))

    async def outcome(self, socket: str, what: str, who: str) -> tuple[str, list[str]]:
        """Return the outcome of a message, and all frames that its sender received."""
        kind, token = next(k for k in forged.all_types() if k.type == what), self.token(who)
        payload = forged.example(kind, token=token, to=self.room.host.id, session=SESSION)
        async with self.socket(socket, who, token) as wire:
            try:
                await wire.request(what, **payload)
                return "ok", wire.heard
            except Refusal as refusal:
                await asyncio.sleep(ANSWER_S)
                return refusal.code, wire.heard
            except ConnectionError:
                return "closed", wire.heard


@asynccontextmanager
async def crowd(
    cluster: list[Process],
    admin: Admin,
    recorder: Recorder = RecordingSocket,
) -> AsyncIterator[Crowd]:
    """All people, and the room in which events never cease."""
    async with room_under_attack.room(cluster) as room, AsyncExitStack() as stack:
        everyone = Crowd(room, tokens(room.key), recorder)

        async def enter(key: str, name: str, **who: str) -> RecordingSocket:
            wire = RecordingSocket(room.there.url, f"/ws/chat/{key}/", **who)
            await (await stack.enter_async_context(wire)).enter(name)
            return wire

        for n in range(int(room_under_attack.WITHOUT_RATE_LIMITS["ROOM_CAPACITY"])):
            await enter(full(room.key), f"P{n}", browser=f"{n}")
        await enter("elsewhere", "Other", token=everyone.token("other room"))
        removed = await enter(room.key, "Removed", token=everyone.token("removed"))
        everyone.pk = await asyncio.to_thread(pk_of, admin, room.key)
        path = f"/admin/chat/room/{everyone.pk}/remove/{removed.id}/"
        await asyncio.to_thread(admin.post, path)
        await removed.closing()
        talk = asyncio.create_task(_talk(room))
        yield everyone
        talk.cancel()


def pk_of(admin: Admin, key: str) -> str:
    """Return the number of a room in the admin."""
    found = re.search(r"/admin/chat/room/(\d+)/change/", admin.get(f"/admin/chat/room/?q={key}"))
    assert found, "the admin does not show the room"
    return found[1]


async def _talk(room: TargetRoom) -> None:
    while True:
        await room.host.post(room_under_attack.TEXT)
        await room.host.send("typing", on=True)
        await room.host_call.send("media", audio=True, video=False, screen=False)
        await asyncio.sleep(0.02)


@pytest.mark.target("S3")
@pytest.mark.parametrize("recorder", [RecordingSocket, RecordingHttpSocket])
async def test_every_message_has_the_outcome_of_the_security_table(
    cluster, admin, figure, recorder
):
    async with crowd(cluster, admin, recorder) as everyone:
        wrong, leaks, tried = [], [], 0
        for socket, (path, _) in SOCKETS.items():
            table = cells(f"`{path}`")
            assert {cell.what for cell in table} == {kind.type for kind in forged.all_types()}
            assert len(table) == len(set(table)) == 7 * len(forged.all_types())
            results = await _all(everyone, socket, [(cell.what, cell.who) for cell in table])
            for cell, (outcome, heard) in zip(table, results, strict=True):
                tried += 1
                if outcome != cell.outcome:
                    wrong.append(f"{path} {cell.what} by {cell.who}: {outcome}, not {cell.outcome}")
                if cell.who not in ADMITTED and outcome != "ok" and socket != "lobby":
                    leaks += [f for f in everyone.room.facts() if any(f in h for h in heard)]
        assert not wrong, "\n".join(wrong)
        figure("outcomes unlike the table", len(wrong), limit=0)
        figure("facts told before admission", len(leaks), limit=0)


async def _all(everyone: Crowd, socket: str, what: list[tuple[str, str]]):
    """Return the outcomes.

    All people act at once, and each does one thing after the other.
    """
    found: dict[tuple[str, str], tuple[str, list[str]]] = {}

    async def one(who: str) -> None:
        for message, whose in what:
            if whose == who:
                found[message, who] = await everyone.outcome(socket, message, who)

    await asyncio.gather(*(one(who) for who in {who for _, who in what}))
    return [found[case] for case in what]


@pytest.mark.target("S3")
async def test_signal_into_another_room_is_not_delivered(cluster, admin, figure):
    async with (
        crowd(cluster, admin) as everyone,
        RecordingSocket(everyone.room.there.url, "/ws/chat/next-door/") as chat,
        RecordingSocket(everyone.room.there.url, "/ws/call/next-door/", token=chat.token) as call,
    ):
        await chat.enter("Neighbour")
        await call.join("neighbour")
        host = everyone.room.host
        for kind in ("offer", "answer", "ice"):
            message = next(one for one in forged.all_types() if one.type == kind)
            payload = forged.example(message, token="", to=host.id, session=SESSION)
            await call.request(kind, **payload)
        await host.post("the last word")
        reached = [k for k in ("offer", "answer", "ice") if everyone.room.host_call.waiting(k)]
        figure("signals that reached another room", len(reached), limit=0)


def patterns(urls: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    """Return every address that Django knows."""
    for entry in urls:
        route = before + str(entry.pattern).lstrip("^")
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns, route)
        else:
            yield route


def filled(address: str, key: str = "key", pk: str = "1") -> str:
    """Return an address with a value in place of each parameter."""
    values = {"key": key, "pk": pk, "who": "abcdefghijkl", "action": "reopen_rooms", "kind": "txt"}
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda m: values.get(m[1], "1"), address)


def outcome(answer: tuple[int, str, str]) -> str:
    status, leads_to, _ = answer
    if status == 302:
        return "login" if leads_to.startswith("/admin/login/?") else "away"
    return "page" if status == 200 else str(status)


async def visitors(everyone: Crowd, process: Process) -> dict[str, Visitor]:
    """The people of the table of pages, each at a browser of its own."""
    people = {who: Visitor(process) for who in ("stranger", "removed", "guest", "host")}
    for who, may in (("staff", ""), ("viewer", "view_room"), ("admin", "")):
        await asyncio.to_thread(account, process, f"some-{who}", admin=who == "admin", may=may)
        people[who] = Visitor(process)
        await asyncio.to_thread(people[who].log_in, f"some-{who}")
    for who in ("removed", "guest", "host"):
        people[who].cookies["noom_browser"] = signed(browser(who, everyone.room.key))
    return people


def signed(browser: str) -> str:
    """Return the cookie of a browser, as the server has signed it."""
    return get_cookie_signer(salt="noom_browser").sign(browser)


@pytest.mark.target("S3")
async def test_every_page_has_the_outcome_of_the_security_table(cluster, admin, figure):
    table = cells("Pages")
    known = {filled(c.what.partition(" ")[2]) for c in table if c.what != ANY_OTHER}
    over_http = {filled(path.replace("/ws/", "/http/")) for path, _ in SOCKETS.values()}
    every = {*map(filled, patterns(get_resolver().url_patterns)), *ENDPOINTS, *over_http}
    others = sorted(a for a in every - known if a.startswith("/admin/") and "(" not in a)
    assert {a for a in every - known if not a.startswith("/admin/")} == set(), "a page has no row"
    async with crowd(cluster, admin) as everyone:
        people = await visitors(everyone, cluster[1])
        wrong, leaks, tried = [], 0, 0
        for cell in table:
            method, _, address = cell.what.partition(" ")
            addresses = (
                others
                if cell.what == ANY_OTHER
                else [filled(address, everyone.room.key, everyone.pk)]
            )
            for one in addresses if cell.outcome != "–" else []:
                form = {"room": "elsewhere"} if method == "POST" else {}
                ask = people[cell.who].ask
                answer = await asyncio.to_thread(ask, method if form else "GET", one, **form)
                tried += 1
                # People with permission to see rooms know them, but not their messages.
                facts = [room_under_attack.TEXT] if cell.who == "viewer" else everyone.room.facts()
                shown = [f for f in facts if f in answer[2]]
                leaks += bool(shown) and cell.who != "admin"
                if cell.outcome not in (outcome(answer), "nothing of rooms"):
                    wrong.append(f"{cell.what} ({one}) by {cell.who}: {outcome(answer)}")
        assert not wrong, "\n".join(wrong)
        assert tried > 150
        figure("outcomes unlike the table", len(wrong), limit=0)
        figure("facts told to who may not know", leaks, limit=0)
