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


async def test_a_newcomer_is_told_who_is_there_and_everyone_hears_of_the_newcomer(enter):
    nova = await enter("Nova")
    mira = await enter("Mira")
    assert nova.hello["you"] == nova.id
    assert [p["nickname"] for p in mira.hello["people"]] == ["Nova", "Mira"]
    welcome = await nova.event("welcome", count=2)
    assert welcome["person"]["nickname"] == "Mira"
    assert welcome["version"] == mira.hello["version"]


async def test_the_browser_that_makes_a_room_is_its_host(enter):
    nova = await enter("Nova", browser="first")
    mira = await enter("Mira", browser="second")
    assert [p["host"] for p in mira.hello["people"]] == [True, False]
    assert nova.hello["room"] == {"key": "room", "name": "Room", "listed": True}


async def test_a_message_reaches_everyone_with_the_sender_that_the_server_knows(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    answer = await nova.say("안녕 👋")
    for client in (nova, mira):
        message = await client.event("new_message")
        assert message["from"] == nova.id
        assert message["nickname"] == "Nova"
        assert message["text"] == "안녕 👋"
        assert message["seq"] == answer["seq"] == 1


async def test_an_answered_message_is_in_the_database(enter):
    nova = await enter("Nova")
    await nova.say("kept")
    assert [m.text async for m in Message.objects.all()] == ["kept"]


async def test_the_same_client_id_is_stored_and_told_once(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    client_id = str(uuid.uuid4())
    first = await nova.say("once", client_id)
    again = await nova.say("once", client_id)
    assert first == again
    await mira.event("new_message")
    await mira.silence("new_message")


async def test_messages_of_many_are_numbered_without_a_gap_in_one_order_for_all(enter):
    people = [await enter(f"Person {n}") for n in range(5)]
    await asyncio.gather(*(p.say(f"{n} from {p.id}") for n in range(8) for p in people[:1]))
    await asyncio.gather(*(p.say(f"hello from {p.id}") for p in people))
    orders = []
    for person in people:
        messages = [await person.event("new_message") for _ in range(13)]
        orders.append([m["text"] for m in sorted(messages, key=lambda m: m["seq"])])
        assert sorted(m["seq"] for m in messages) == list(range(1, 14))
    assert all(order == orders[0] for order in orders)


async def test_who_comes_later_gets_the_history(enter):
    nova = await enter("Nova")
    for n in range(3):
        await nova.say(f"message {n}")
    mira = await enter("Mira")
    assert [m["text"] for m in mira.hello["messages"]] == ["message 0", "message 1", "message 2"]
    assert mira.hello["seq"] == 3


async def test_who_comes_back_gets_what_was_missed_and_no_one_sees_an_arrival(enter, connect):
    nova, mira = await enter("Nova"), await enter("Mira")
    for count in (1, 2):
        await nova.event("welcome", count=count)
    await nova.say("seen")
    await mira.close()
    away = await nova.event("person")
    assert away["person"]["here"] is False
    await nova.say("missed")
    back = await connect("/ws/chat/room/", token=mira.token)
    hello = await back.ask("enter_room", token=mira.token, nickname="Mira", last_seq=1)
    assert [m["text"] for m in hello["messages"]] == ["missed"]
    assert (await nova.event("person"))["person"]["here"] is True
    await nova.silence("welcome")


async def test_history_goes_back_page_by_page(enter):
    nova = await enter("Nova")
    for n in range(1, 8):
        await nova.say(f"{n}")
    page = await nova.ask("history", before=6, limit=3)
    assert [m["text"] for m in page["messages"]] == ["3", "4", "5"]
    page = await nova.ask("history", after=5, limit=100)
    assert [m["text"] for m in page["messages"]] == ["6", "7"]
    with pytest.raises(Refusal, match="bad_history"):
        await nova.ask("history", limit=3)


async def test_a_nickname_changes_for_everyone_and_for_later_messages(enter):
    nova, mira = await enter("Anon"), await enter("Mira")
    assert await nova.ask("nickname", nickname="  Nova\u202e ") == {"nickname": "Nova"}
    assert (await mira.event("nickname"))["person"]["nickname"] == "Nova"
    await nova.say("it is me")
    assert (await mira.event("new_message"))["nickname"] == "Nova"


async def test_nobody_gets_a_name_that_looks_like_a_living_one(enter):
    await enter("Nova")
    other = await enter("nоva")  # with a Cyrillic letter
    assert other.hello["people"][1]["nickname"] == "nоva (2)"
    assert (await other.ask("nickname", nickname="NOVA"))["nickname"] == "NOVA (2)"


async def test_an_empty_nickname_or_message_is_refused_and_the_socket_lives(enter):
    nova = await enter("Nova")
    with pytest.raises(Refusal, match="empty_nickname"):
        await nova.ask("nickname", nickname=" \u200b ")
    with pytest.raises(Refusal, match="empty_message"):
        await nova.say(" \n ")
    assert (await nova.say("still here"))["seq"] == 1


async def test_typing_is_told_to_the_others(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    await nova.tell("typing", on=True)
    assert await mira.event("typing") == {"from": nova.id, "on": True}


async def test_typing_that_did_not_change_is_not_passed_on(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    for _ in range(20):
        await nova.tell("typing", on=True)
    await nova.say("written")
    await mira.event("new_message")
    assert len(mira.waiting("typing")) == 1


async def test_typing_changes_are_passed_on_once_a_second_and_the_last_arrives(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    for n in range(31):
        await nova.tell("typing", on=not n % 2)
    await nova.tell("typing", on=False)
    assert (await mira.event("typing"))["on"]
    assert not (await mira.event("typing"))["on"]
    await nova.say("nothing more of it came before this")
    await mira.event("new_message")
    assert mira.waiting("typing") == []


async def test_typing_ends_with_the_line_and_with_silence(enter, monkeypatch):
    monkeypatch.setattr(typing_status, "CHANGE_EVERY_S", 0.1)
    monkeypatch.setattr(typing_status, "SILENT_S", 0.2)
    nova, mira = await enter("Nova"), await enter("Mira")
    await nova.tell("typing", on=True)
    assert (await mira.event("typing"))["on"]
    assert not (await mira.event("typing"))["on"], "the page has fallen silent"
    monkeypatch.setattr(typing_status, "SILENT_S", 60.0)
    await nova.tell("typing", on=True)
    assert (await mira.event("typing"))["on"]
    await nova.close(1006)
    assert not (await mira.event("typing"))["on"]


async def test_leaving_is_told_at_once_and_a_dead_line_after_the_grace(enter, settings):
    settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S, settings.RECONNECT_GRACE_S = (
        0.2,
        5.0,
        0.5,
    )
    nova, mira, dead = await enter("Nova"), await enter("Mira"), await enter("Dead")
    await mira.ask("leave_room")
    assert (await nova.event("bye", count=2))["person"]["id"] == mira.id
    assert await mira.closing() == close_codes.NORMAL
    await dead.close(1006)
    assert (await nova.event("person"))["person"]["here"] is False
    assert (await nova.event("bye", count=1))["person"]["id"] == dead.id


async def test_who_stays_is_renewed_past_the_lease(enter, settings):
    settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S = 0.2, 1.0
    nova, mira = await enter("Nova"), await enter("Mira")
    await asyncio.sleep(1.5)
    people = (await nova.ask("people"))["people"]
    assert {p["id"] for p in people} == {nova.id, mira.id}


async def test_a_process_that_stood_still_sends_out_none_of_its_own(enter, settings):
    settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S = 0.05, 0.5
    nova, mira = await enter("Nova"), await enter("Mira")
    for turns in range(5):  # of the event loop, so that it stands still between other steps
        time.sleep(0.7)  # noqa: ASYNC251 - nothing here runs
        await nova.silence("bye", 0.1)
        for _ in range(turns):
            await asyncio.sleep(0)
    people = (await nova.ask("people"))["people"]
    assert {p["id"] for p in people} == {nova.id, mira.id}


async def test_a_slow_database_ends_no_lease(enter, settings, monkeypatch):
    settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S = 0.2, 1.0
    heads = history.room_heads

    def slow(keys: list[str]) -> dict[str, history.Head]:
        time.sleep(1.5)
        return heads(keys)

    monkeypatch.setattr(history, "room_heads", slow)
    nova, mira = await enter("Nova"), await enter("Mira")
    await nova.silence("bye", 2)
    people = (await nova.ask("people"))["people"]
    assert {p["id"] for p in people} == {nova.id, mira.id}


async def test_a_beat_tells_the_last_message_and_the_roster_version(enter, settings):
    settings.HEARTBEAT_INTERVAL_S = 0.1
    nova = await enter("Nova")
    await nova.say("one")
    beat = await nova.event("beat", seq=1)
    assert beat["version"] == (await nova.ask("people"))["version"]


async def test_a_newer_connection_of_the_same_participant_replaces_the_older(enter, connect):
    nova = await enter("Nova")
    newer = await connect("/ws/chat/room/", token=nova.token)
    await newer.ask("enter_room", token=nova.token, nickname="Nova")
    assert await nova.closing() == close_codes.REPLACED
    assert len((await newer.ask("people"))["people"]) == 1


async def test_a_full_room_refuses_the_next_and_lets_its_people_back(enter, connect, settings):
    settings.ROOM_CAPACITY = 2
    await enter("Nova")
    mira = await enter("Mira")
    with pytest.raises(Refusal, match="room_full"):
        await enter("Late")
    back = await connect("/ws/chat/room/", token=mira.token)
    assert await back.ask("enter_room", token=mira.token, nickname="Mira")


async def test_a_closed_room_sends_everyone_out_and_lets_nobody_in(enter):
    nova = await enter("Nova")
    await moderation.close("room")
    assert await nova.closing() == close_codes.ROOM_CLOSED
    with pytest.raises(Refusal, match="room_closed"):
        await enter("Late")
    await moderation.reopen("room")
    await enter("Late")


async def test_rooms_hear_nothing_of_each_other(enter):
    nova, other = await enter("Nova", "room"), await enter("Mira", "안녕-방")
    await nova.say("in my room")
    await other.silence("new_message")
    assert (await other.say("in mine"))["seq"] == 1


async def test_a_room_is_kept_with_the_name_that_was_typed(enter):
    await enter("Nova", "안녕-방")
    room = await Room.objects.aget()
    assert (room.key, room.name, room.listed) == ("안녕-방", "안녕-방", True)


@pytest.mark.parametrize(
    "text", ["\u200b", "\u3164", "\u2800", "\u202e", "\u115f", "\u0301", " \n\u00ad"]
)
async def test_a_message_in_which_nothing_shows_is_refused(enter, text):
    nova = await enter("Nova")
    with pytest.raises(Refusal, match="empty_message"):
        await nova.say(text)
    assert not await Message.objects.aexists()


@pytest.mark.parametrize(
    ("half", "shown"), [("a\\ud83d", "a"), ("\\udc00b", "b"), ("\\ud83d", "Anon")]
)
async def test_half_an_emoji_in_a_nickname_locks_nobody_out(enter, connect, half, shown):
    nova, client = await enter("Nova"), await connect("/ws/chat/room/")
    sent = '{"type":"enter_room","payload":{"token":"%s","nickname":"%s"}}'
    await client.send_raw(sent % (client.token, half))
    assert (await nova.event("welcome", count=2))["person"]["nickname"] == shown
    assert await client.say("I am in")


async def test_half_an_emoji_in_a_message_leaves_the_rest_of_it(enter):
    nova = await enter("Nova")
    say = '{"type":"new_message","payload":{"text":"%s","client_id":"%s"}}'
    await nova.send_raw(say % ("half \\ud83d of it", uuid.uuid4()))
    assert (await nova.event("new_message"))["text"] == "half  of it"


@pytest.mark.parametrize("name", ["You", "나", "ｙоu", "Host", "관리자", "Nova (you)"])
async def test_a_nickname_that_pages_use_for_others_gets_a_number(enter, name):
    nova = await enter(name)
    assert [person["nickname"] for person in nova.hello["people"]] == [f"{name} (2)"]
    assert (await nova.ask("nickname", nickname=name))["nickname"] == f"{name} (2)"


async def test_a_room_whose_capacity_is_0_in_the_database_has_the_servers(enter, settings):
    settings.ROOM_CAPACITY = 2
    await Room.objects.acreate(key="room", name="Room", capacity=0)
    await enter("Nova")
    await enter("Mira")
    with pytest.raises(Refusal, match="room_full"):
        await enter("Kim")
