"""The chat of a room, as its sockets show it."""

import asyncio
import time
import uuid

import pytest

from chat.models import Message, Room
from chat.protocol import close_codes
from chat.services import moderation, typing_status
from chat.storage import history
from tests.support.clients.protocol_client import Refusal


async def test_entry_returns_the_members_and_publishes_the_newcomer(enter):
    nova = await enter("Nova")
    mira = await enter("Mira")
    assert nova.hello["you"] == nova.id
    assert [p["nickname"] for p in mira.hello["people"]] == ["Nova", "Mira"]
    welcome = await nova.event("welcome", count=2)
    assert welcome["person"]["nickname"] == "Mira"
    assert welcome["version"] == mira.hello["version"]


async def test_browser_that_makes_a_room_is_its_host(enter):
    nova = await enter("Nova", browser="first")
    mira = await enter("Mira", browser="second")
    assert [p["host"] for p in mira.hello["people"]] == [True, False]
    assert nova.hello["room"] == {"key": "room", "name": "Room", "listed": True}


async def test_message_reaches_the_room_with_its_true_sender(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    answer = await nova.post("안녕 👋")
    for client in (nova, mira):
        message = await client.event("new_message")
        assert message["from"] == nova.id
        assert message["nickname"] == "Nova"
        assert message["text"] == "안녕 👋"
        assert message["seq"] == answer["seq"] == 1


async def test_answered_message_is_in_the_database(enter):
    nova = await enter("Nova")
    await nova.post("kept")
    assert [m.text async for m in Message.objects.all()] == ["kept"]


async def test_repeated_client_id_is_stored_and_published_once(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    client_id = str(uuid.uuid4())
    first = await nova.post("once", client_id)
    again = await nova.post("once", client_id)
    assert first == again
    await mira.event("new_message")
    await mira.expect_none("new_message")


async def test_concurrent_messages_get_one_order_without_gaps(enter):
    people = [await enter(f"Person {n}") for n in range(5)]
    await asyncio.gather(*(p.post(f"{n} from {p.id}") for n in range(8) for p in people[:1]))
    await asyncio.gather(*(p.post(f"hello from {p.id}") for p in people))
    orders = []
    for person in people:
        messages = [await person.event("new_message") for _ in range(13)]
        orders.append([m["text"] for m in sorted(messages, key=lambda m: m["seq"])])
        assert sorted(m["seq"] for m in messages) == list(range(1, 14))
    assert all(order == orders[0] for order in orders)


async def test_newcomer_gets_the_history(enter):
    nova = await enter("Nova")
    for n in range(3):
        await nova.post(f"message {n}")
    mira = await enter("Mira")
    assert [m["text"] for m in mira.hello["messages"]] == ["message 0", "message 1", "message 2"]
    assert mira.hello["seq"] == 3


async def test_resumed_participant_gets_missed_messages_without_a_welcome(enter, connect):
    nova, mira = await enter("Nova"), await enter("Mira")
    for count in (1, 2):
        await nova.event("welcome", count=count)
    await nova.post("seen")
    await mira.close()
    away = await nova.event("person")
    assert away["person"]["here"] is False
    await nova.post("missed")
    back = await connect("/ws/chat/room/", token=mira.token)
    hello = await back.request("enter_room", token=mira.token, nickname="Mira", last_seq=1)
    assert [m["text"] for m in hello["messages"]] == ["missed"]
    assert (await nova.event("person"))["person"]["here"] is True
    await nova.expect_none("welcome")


async def test_history_is_read_page_by_page(enter):
    nova = await enter("Nova")
    for n in range(1, 8):
        await nova.post(f"{n}")
    page = await nova.request("history", before=6, limit=3)
    assert [m["text"] for m in page["messages"]] == ["3", "4", "5"]
    page = await nova.request("history", after=5, limit=100)
    assert [m["text"] for m in page["messages"]] == ["6", "7"]
    with pytest.raises(Refusal, match="bad_history"):
        await nova.request("history", limit=3)


async def test_nickname_changes_for_everyone_and_for_later_messages(enter):
    nova, mira = await enter("Anon"), await enter("Mira")
    assert await nova.request("nickname", nickname="  Nova\u202e ") == {"nickname": "Nova"}
    assert (await mira.event("nickname"))["person"]["nickname"] == "Nova"
    await nova.post("it is me")
    assert (await mira.event("new_message"))["nickname"] == "Nova"


async def test_nickname_that_looks_like_a_members_gets_a_number(enter):
    await enter("Nova")
    other = await enter("nоva")  # with a Cyrillic letter
    assert other.hello["people"][1]["nickname"] == "nоva (2)"
    assert (await other.request("nickname", nickname="NOVA"))["nickname"] == "NOVA (2)"


async def test_empty_nickname_or_message_is_refused_on_an_open_socket(enter):
    nova = await enter("Nova")
    with pytest.raises(Refusal, match="empty_nickname"):
        await nova.request("nickname", nickname=" \u200b ")
    with pytest.raises(Refusal, match="empty_message"):
        await nova.post(" \n ")
    assert (await nova.post("still here"))["seq"] == 1


async def test_typing_is_published_to_the_room(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    await nova.send("typing", on=True)
    assert await mira.event("typing") == {"from": nova.id, "on": True}


async def test_typing_that_did_not_change_is_not_passed_on(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    for _ in range(20):
        await nova.send("typing", on=True)
    await nova.post("written")
    await mira.event("new_message")
    assert len(mira.waiting("typing")) == 1


async def test_typing_changes_are_passed_on_once_a_second_and_the_last_arrives(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    for n in range(31):
        await nova.send("typing", on=not n % 2)
    await nova.send("typing", on=False)
    assert (await mira.event("typing"))["on"]
    assert not (await mira.event("typing"))["on"]
    await nova.post("nothing more of it came before this")
    await mira.event("new_message")
    assert mira.waiting("typing") == []


async def test_typing_ends_with_the_connection_and_after_silence(enter, monkeypatch):
    monkeypatch.setattr(typing_status, "CHANGE_EVERY_S", 0.1)
    monkeypatch.setattr(typing_status, "SILENT_S", 0.2)
    nova, mira = await enter("Nova"), await enter("Mira")
    await nova.send("typing", on=True)
    assert (await mira.event("typing"))["on"]
    assert not (await mira.event("typing"))["on"], "the page has fallen silent"
    monkeypatch.setattr(typing_status, "SILENT_S", 60.0)
    await nova.send("typing", on=True)
    assert (await mira.event("typing"))["on"]
    await nova.close(1006)
    assert not (await mira.event("typing"))["on"]


async def test_leave_is_published_at_once_and_a_lost_connection_after_grace(enter, settings):
    settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S, settings.RECONNECT_GRACE_S = (
        0.2,
        5.0,
        0.5,
    )
    nova, mira, dead = await enter("Nova"), await enter("Mira"), await enter("Dead")
    await mira.request("leave_room")
    assert (await nova.event("bye", count=2))["person"]["id"] == mira.id
    assert await mira.closing() == close_codes.NORMAL
    await dead.close(1006)
    assert (await nova.event("person"))["person"]["here"] is False
    assert (await nova.event("bye", count=1))["person"]["id"] == dead.id


async def test_heartbeat_renews_members_past_the_lease(enter, settings):
    settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S = 0.2, 1.0
    nova, mira = await enter("Nova"), await enter("Mira")
    await asyncio.sleep(1.5)
    people = (await nova.request("people"))["people"]
    assert {p["id"] for p in people} == {nova.id, mira.id}


async def test_resumed_process_keeps_its_own_members(enter, settings):
    settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S = 0.05, 0.5
    nova, mira = await enter("Nova"), await enter("Mira")
    for turns in range(5):  # of the event loop, so that it stands still between other steps
        time.sleep(0.7)  # noqa: ASYNC251 - nothing here runs
        await nova.expect_none("bye", 0.1)
        for _ in range(turns):
            await asyncio.sleep(0)
    people = (await nova.request("people"))["people"]
    assert {p["id"] for p in people} == {nova.id, mira.id}


async def test_slow_database_ends_no_lease(enter, settings, monkeypatch):
    settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S = 0.2, 1.0
    heads = history.room_heads

    def slow(keys: list[str]) -> dict[str, history.Head]:
        time.sleep(1.5)
        return heads(keys)

    monkeypatch.setattr(history, "room_heads", slow)
    nova, mira = await enter("Nova"), await enter("Mira")
    await nova.expect_none("bye", 2)
    people = (await nova.request("people"))["people"]
    assert {p["id"] for p in people} == {nova.id, mira.id}


async def test_beat_carries_the_last_number_and_the_roster_version(enter, settings):
    settings.HEARTBEAT_INTERVAL_S = 0.1
    nova = await enter("Nova")
    await nova.post("one")
    beat = await nova.event("beat", seq=1)
    assert beat["version"] == (await nova.request("people"))["version"]


async def test_newer_connection_of_the_same_participant_replaces_the_older(enter, connect):
    nova = await enter("Nova")
    newer = await connect("/ws/chat/room/", token=nova.token)
    await newer.request("enter_room", token=nova.token, nickname="Nova")
    assert await nova.closing() == close_codes.REPLACED
    assert len((await newer.request("people"))["people"]) == 1


async def test_full_room_refuses_the_next_and_lets_its_people_back(enter, connect, settings):
    settings.ROOM_CAPACITY = 2
    await enter("Nova")
    mira = await enter("Mira")
    with pytest.raises(Refusal, match="room_full"):
        await enter("Late")
    back = await connect("/ws/chat/room/", token=mira.token)
    assert await back.request("enter_room", token=mira.token, nickname="Mira")


async def test_closed_room_disconnects_members_and_refuses_entry(enter):
    nova = await enter("Nova")
    await moderation.close("room")
    assert await nova.closing() == close_codes.ROOM_CLOSED
    with pytest.raises(Refusal, match="room_closed"):
        await enter("Late")
    await moderation.reopen("room")
    await enter("Late")


async def test_rooms_receive_no_events_of_other_rooms(enter):
    nova, other = await enter("Nova", "room"), await enter("Mira", "안녕-방")
    await nova.post("in my room")
    await other.expect_none("new_message")
    assert (await other.post("in mine"))["seq"] == 1


async def test_room_keeps_its_typed_name(enter):
    await enter("Nova", "안녕-방")
    room = await Room.objects.aget()
    assert (room.key, room.name, room.listed) == ("안녕-방", "안녕-방", True)


@pytest.mark.parametrize(
    "text", ["\u200b", "\u3164", "\u2800", "\u202e", "\u115f", "\u0301", " \n\u00ad"]
)
async def test_message_in_which_nothing_shows_is_refused(enter, text):
    nova = await enter("Nova")
    with pytest.raises(Refusal, match="empty_message"):
        await nova.post(text)
    assert not await Message.objects.aexists()


@pytest.mark.parametrize(
    ("half", "shown"), [("a\\ud83d", "a"), ("\\udc00b", "b"), ("\\ud83d", "Anon")]
)
async def test_half_an_emoji_in_a_nickname_is_accepted(enter, connect, half, shown):
    nova, client = await enter("Nova"), await connect("/ws/chat/room/")
    sent = '{"type":"enter_room","payload":{"token":"%s","nickname":"%s"}}'
    await client.send_raw(sent % (client.token, half))
    assert (await nova.event("welcome", count=2))["person"]["nickname"] == shown
    assert await client.post("I am in")


async def test_half_an_emoji_in_a_message_leaves_the_rest_of_it(enter):
    nova = await enter("Nova")
    say = '{"type":"new_message","payload":{"text":"%s","client_id":"%s"}}'
    await nova.send_raw(say % ("half \\ud83d of it", uuid.uuid4()))
    assert (await nova.event("new_message"))["text"] == "half  of it"


@pytest.mark.parametrize("name", ["You", "나", "ｙоu", "Host", "관리자", "Nova (you)"])
async def test_reserved_nickname_gets_a_number(enter, name):
    nova = await enter(name)
    assert [person["nickname"] for person in nova.hello["people"]] == [f"{name} (2)"]
    assert (await nova.request("nickname", nickname=name))["nickname"] == f"{name} (2)"


async def test_room_capacity_of_zero_means_the_servers_capacity(enter, settings):
    settings.ROOM_CAPACITY = 2
    await Room.objects.acreate(key="room", name="Room", capacity=0)
    await enter("Nova")
    await enter("Mira")
    with pytest.raises(Refusal, match="room_full"):
        await enter("Kim")
