"""The list of open rooms, live and on the page."""

import asyncio
import json
import re
from unittest.mock import Mock

import pytest
from django.test import AsyncClient

from chat import runtime, views
from chat.errors import Unavailable
from chat.names import keys
from chat.realtime.rate_limits import TokenBuckets
from chat.services import moderation, open_rooms, room_directory
from tests.support.patience import PATIENCE

RE = re.compile(r'data-room="([^"]+)"')


async def test_room_list_is_sent_at_once_and_with_every_change(enter, join, connect, monkeypatch):
    monkeypatch.setattr(room_directory, "LISTING_INTERVAL_S", 0.01)
    watcher = await connect("/ws/lobby/")
    assert await watcher.event("room_change") == {"rooms": [], "total": 0}
    nova = await enter("Nova", "안녕-방")
    room = {"key": "안녕-방", "name": "안녕-방", "count": 1, "in_call": 0}
    await watcher.event("room_change", rooms=[room])
    call = await join(nova)
    await watcher.event("room_change", rooms=[room | {"in_call": 1}])
    await call.request("leave_room")
    await nova.request("leave_room")
    await watcher.event("room_change", rooms=[])


async def test_room_list_updates_are_coalesced(enter, connect, monkeypatch):
    monkeypatch.setattr(room_directory, "LISTING_INTERVAL_S", 2.0)
    watcher = await connect("/ws/lobby/")
    for n in range(10):
        await enter(f"Person {n}")
    told = 0
    async with asyncio.timeout(10 * PATIENCE):
        while True:
            change = await watcher.event("room_change")
            told += 1
            if change["rooms"] and change["rooms"][0]["count"] == 10:
                break
    assert told < 8


async def test_room_list_is_built_once_for_many_watchers(enter, connect, monkeypatch):
    monkeypatch.setattr(room_directory, "LISTING_INTERVAL_S", 0.3)
    made = Mock(wraps=open_rooms.list_open_rooms)
    monkeypatch.setattr(open_rooms, "list_open_rooms", made)
    for _ in range(20):
        watcher = await connect("/ws/lobby/")
        assert await watcher.event("room_change") == {"rooms": [], "total": 0}
        await watcher.close()
    assert made.call_count < 5
    # Nobody looked while this room was opened: who comes at once sees it a little later.
    await enter("Nova", "opened")
    watcher = await connect("/ws/lobby/")
    while not (await watcher.event("room_change"))["rooms"]:
        pass


async def test_unlisted_and_closed_rooms_are_not_listed(enter):
    await enter("Nova", "quiet~abcdefghij234567")
    await enter("Mira", "open")
    assert [room.key for room in await open_rooms.list_open_rooms()] == ["open"]
    await moderation.close("open")
    assert await open_rooms.list_open_rooms() == []


async def test_fullest_room_is_listed_first(enter):
    await enter("Nova", "small")
    await enter("Mira", "large")
    await enter("Kim", "large")
    assert [(r.key, r.count) for r in await open_rooms.list_open_rooms()] == [
        ("large", 2),
        ("small", 1),
    ]


async def test_message_on_the_lobby_socket_closes_it(connect):
    watcher = await connect("/ws/lobby/")
    await watcher.send_raw("hello")
    assert await watcher.closing() == 4400


async def test_welcome_page_lists_rooms_without_javascript(enter, async_client):
    await enter("Nova", "안녕-방")
    page = (await async_client.get("/")).content.decode()
    assert 'data-room="안녕-방"' in page
    assert "/rooms/%EC%95%88%EB%85%95-%EB%B0%A9/" in page


async def test_room_list_is_bounded_and_counts_all_rooms(enter, connect, monkeypatch):
    monkeypatch.setattr(room_directory, "MAX_SHOWN", 2)
    for key in ("one", "two", "three"):
        await enter("Nova", key)
    watcher = await connect("/ws/lobby/")
    change = await watcher.event("room_change", total=3)
    assert len(change["rooms"]) == 2


async def test_list_costs_no_question_for_each_room(enter, monkeypatch):
    for key in ("one", "two", "three"):
        await enter("Nova", key)
    presence = runtime.current().presence
    asked = {name: Mock(wraps=getattr(presence, name)) for name in ("read", "member_counts")}
    for name, question in asked.items():
        monkeypatch.setattr(presence, name, question)
    assert len(await open_rooms.list_open_rooms()) == 3
    assert [question.call_count for question in asked.values()] == [0, 2]


async def test_welcome_page_finds_the_rooms_that_it_does_not_show(enter, async_client, monkeypatch):
    monkeypatch.setattr(room_directory, "MAX_SHOWN", 2)
    for key in ("one", "two", "three", "rest"):
        await enter("Nova", key)

    async def shown(query: str) -> list[str]:
        page = (await async_client.get(f"/{query}")).content.decode()
        assert ('role="search" action="/">' in page) == bool(query or len(RE.findall(page)) == 2)
        return RE.findall(page)

    assert await shown("") == ["one", "rest"]
    assert await shown("?q=TWO") == ["two"]
    assert await shown("?q=nowhere") == []
    assert await shown(f"?q={'x' * 5_000}") == []


async def test_welcome_page_loads_without_presence(enter, async_client, monkeypatch):
    async def away(kind: str) -> dict[str, int]:
        raise Unavailable("away")

    monkeypatch.setattr(runtime.current().presence, "member_counts", away)
    answer = await async_client.get("/")
    assert answer.status_code == 200
    assert RE.findall(answer.content.decode()) == []


async def test_room_list_distinguishes_similar_names(enter):
    await enter("Nova", "team")
    await enter("Mira", "tеam")
    await enter("Kim", "other")
    listed = {room.key: room.name for room in await open_rooms.list_open_rooms()}
    assert listed == {"team": "Team", "tеam": "Tеam (2)", "other": "Other"}


@pytest.mark.parametrize("typed", ["tea-room", "Tea Room", "tea%20%20ROOM"])
async def test_people_count_is_shown_for_the_typed_room_only(enter, monkeypatch, typed):
    await enter("Nova", "tea-room")
    await enter("Mira", "tea-room")
    monkeypatch.setattr(open_rooms, "list_open_rooms", Mock(side_effect=AssertionError))
    answer = await AsyncClient().get(f"/rooms/{typed}/people.json")
    assert json.loads(answer.content) == {"people": 2}
    answer = await AsyncClient().get("/rooms/another/people.json")
    assert json.loads(answer.content) == {"people": 0}


async def test_people_count_covers_the_requested_room_only(enter):
    key = keys.unlisted_key("team")
    await enter("Nova", key)
    answer = await AsyncClient().get(f"/rooms/{key}/people.json")
    assert json.loads(answer.content) == {"people": 1}
    answer = await AsyncClient().get("/rooms/team/people.json")
    assert json.loads(answer.content) == {"people": 0}


async def test_address_asks_only_so_often_how_many_are_in_rooms(monkeypatch):
    monkeypatch.setattr(views, "looks", TokenBuckets(lambda: 1.0, lambda: 0.0, burst_s=3.0))
    statuses = [
        (await AsyncClient().get(f"/rooms/room-{n}/people.json")).status_code for n in range(5)
    ]
    assert statuses == [200, 200, 200, 429, 429]
