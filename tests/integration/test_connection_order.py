"""Connections of one page: the newer one stays, whichever of them the server serves first."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest

from call import ice_servers, signalling
from chat import runtime
from chat.protocol import close_codes
from chat.services import rooms
from tests.support.clients.protocol_client import Refusal


class HeldDoor(AsyncExitStack):
    """Nobody gets in meanwhile, and all who ask wait."""

    async def __aenter__(self) -> "HeldDoor":
        for _ in range(runtime.MAX_CONCURRENT_ENTRIES):
            await self.enter_async_context(runtime.current().entry_limit)
        return await super().__aenter__()


async def test_older_connection_served_later_is_closed_itself(connect):
    newer = await connect("/ws/chat/room/")
    older = await connect("/ws/chat/room/", token=newer.token)
    await newer.request("enter_room", token=newer.token, nickname="Nova", connection=2)
    await older.send("enter_room", token=newer.token, nickname="Nova", connection=1)
    assert await older.closing() == close_codes.REPLACED
    await newer.post("still here")
    assert newer.close_code is None


async def test_older_connection_of_a_call_served_later_is_closed_itself(enter, connect):
    nova = await enter("Nova")
    newer = await connect("/ws/call/room/", token=nova.token)
    older = await connect("/ws/call/room/", token=nova.token)
    await newer.request("join_room", **newer.joining("one"), connection=2)
    await older.send("join_room", **older.joining("one"), connection=1)
    assert await older.closing() == close_codes.REPLACED
    assert [p["id"] for p in (await newer.request("people"))["people"]] == [nova.id]


async def test_newest_of_several_waiting_connections_enters(connect):
    nova = await connect("/ws/chat/room/")
    pages = [await connect("/ws/chat/room/", token=nova.token) for _ in range(3)]
    async with HeldDoor():
        for number, page in reversed(list(enumerate(pages, 1))):
            await page.send("enter_room", token=nova.token, nickname="Nova", connection=number)
            await asyncio.sleep(0.05)
    assert [await page.closing() for page in pages[:2]] == [close_codes.REPLACED] * 2
    assert len((await pages[2].request("people"))["people"]) == 1


async def test_second_window_of_a_page_still_takes_its_place(enter, connect):
    first = await connect("/ws/chat/room/")
    await first.request("enter_room", token=first.token, nickname="Nova", connection=1)
    second = await connect("/ws/chat/room/", token=first.token)
    await second.request("enter_room", token=first.token, nickname="Nova", connection=2)
    assert await first.closing() == close_codes.REPLACED
    await second.post("here")


async def test_entry_that_fails_leaves_a_newer_connection_in(connect, monkeypatch):
    older = await connect("/ws/chat/room/")
    newer = await connect("/ws/chat/room/", token=older.token)
    read = rooms._backlog
    entered = asyncio.Event()
    loop = asyncio.get_running_loop()

    def fail_once_overtaken(identity, epoch, seen, few):
        if seen.last_seq == 7:
            asyncio.run_coroutine_threadsafe(entered.wait(), loop).result(10)
            raise RuntimeError
        return read(identity, epoch, seen, few)

    monkeypatch.setattr(rooms, "_backlog", fail_once_overtaken)
    hello = {"token": older.token, "nickname": "Nova"}
    failing = asyncio.create_task(older.request("enter_room", **hello, last_seq=7, connection=1))
    await asyncio.sleep(0.1)
    await newer.request("enter_room", **hello, connection=2)
    entered.set()
    with suppress(Refusal, ConnectionError):
        await failing
    assert await older.closing() in (close_codes.REPLACED, close_codes.SERVER_ERROR)
    assert [p["id"] for p in (await newer.request("people"))["people"]] == [newer.id]
    await newer.post("still here")


async def test_leave_of_an_older_connection_removes_nobody(enter, connect):
    nova = await connect("/ws/chat/room/")
    await nova.request("enter_room", token=nova.token, nickname="Nova", connection=1)
    here = runtime.current()
    held = here.roster(rooms.PEOPLE)._held["room"][nova.id].connection
    newer = await connect("/ws/chat/room/", token=nova.token)
    await newer.request("enter_room", token=nova.token, nickname="Nova", connection=2)
    await rooms.roster().leave_by("room", held)
    assert len((await newer.request("people"))["people"]) == 1


async def test_join_of_a_closed_page_leaves_no_caller(enter, connect, monkeypatch):
    nova = await enter("Nova")

    def fail(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(ice_servers, "servers", fail)
    call = await connect("/ws/call/room/", token=nova.token)
    with pytest.raises(Refusal, match="server_error"):
        await call.request("join_room", **call.joining("one"))
    await call.close(1001)
    calls = runtime.current().roster(signalling.CALLERS)
    assert list(calls.local_keys()) == [], "nothing renews what nobody holds"
