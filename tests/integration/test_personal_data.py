"""A person's data: exported whole, counted before it is erased, and gone from open pages."""

import asyncio
import json
from io import StringIO

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command

from chat.models import Ban, Message, Room
from chat.services import personal_data
from chat.services.personal_data import Person


@sync_to_async
def command(name: str, *arguments: str) -> tuple[str, str]:
    """The standard output and the standard error of a command."""
    output, errors = StringIO(), StringIO()
    call_command(name, *arguments, stdout=output, stderr=errors)
    return output.getvalue(), errors.getvalue()


async def texts():
    return {message.text async for message in Message.objects.all()}


@pytest.fixture
async def said(enter):
    """Nova speaks in two rooms, and again after a reload; another Nova and Mira speak, too."""
    nova = await enter("Nova", browser="nova-browser")
    again = await enter("Nova again", browser="nova-browser")
    there = await enter("Nova", key="there", browser="nova-browser")
    other = await enter("Nova", key="elsewhere", browser="other-browser")
    mira = await enter("Mira", browser="mira-browser")
    await nova.post("nova")
    await again.post("again")
    await there.post("there")
    await other.post("other")
    await mira.post("mira")
    return nova, mira


async def test_participant_is_erased_and_open_pages_forget_it(said):
    nova, mira = said
    assert await personal_data.erase(Person(participant=nova.id)) == 1
    assert (await mira.event("deleted"))["spans"]
    assert await texts() == {"again", "there", "other", "mira"}


async def test_browser_is_erased_in_all_rooms_with_its_name(said):
    room = await Room.objects.aget(key="elsewhere")
    await Ban.objects.acreate(room=room, browser="nova-browser", nickname="Nova")
    assert await personal_data.erase(Person(browser="nova-browser")) == 3
    assert await texts() == {"other", "mira"}
    assert not await Room.objects.filter(host="nova-browser").aexists()
    ban = await Ban.objects.aget()
    assert (ban.browser, ban.nickname) == ("nova-browser", personal_data.ERASED)


async def test_nickname_is_erased_in_its_room_only(said):
    assert await personal_data.erase(Person(nickname="Nova", room="room")) == 1
    assert await texts() == {"again", "there", "other", "mira"}


async def test_command_counts_and_erases_nothing_without_yes(said):
    _, told = await command("erase_person", "--browser", "nova-browser:signature")
    assert "3 messages" in told
    assert "--yes" in told
    assert len(await texts()) == 5
    _, told = await command("erase_person", "--browser", "nova-browser", "--yes")
    assert "Erased 3 messages." in told
    assert await texts() == {"other", "mira"}


async def test_export_is_one_json_object_with_everything(said):
    output, _ = await command("export_person", "--browser", "nova-browser")
    found = json.loads(output)
    assert {m["text"] for m in found["messages"]} == {"nova", "again", "there"}
    assert {room["key"] for room in found["rooms"]} == {"room", "there"}
    assert found["bans"] == []


async def test_export_of_an_unknown_person_is_empty(said):
    output, _ = await command("export_person", "--participant", "nobody")
    assert json.loads(output) == {"rooms": [], "bans": [], "messages": []}


async def test_twelve_hundred_messages_of_a_person_are_erased(enter):
    nova = await enter("Nova", browser="nova-browser")
    await asyncio.gather(*(nova.post(f"{n}") for n in range(2)))
    room = await Room.objects.aget()
    first = await Message.objects.aget(seq=1)
    rows = []
    for seq in range(3, 1_203):
        rows.append(
            Message(
                room=room,
                seq=seq,
                participant=first.participant,
                nickname="Nova",
                browser="nova-browser",
                text="more",
                sent_at=first.sent_at,
                client_id=f"00000000-0000-4000-8000-{seq:012x}",
            )
        )
    await Message.objects.abulk_create(rows)
    assert await personal_data.erase(Person(browser="nova-browser")) == 1_202
    assert not await Message.objects.aexists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--nickname", "Nova"),
        ("--participant", "x", "--room", "room"),
        ("--participant", "x", "--browser", "y"),
        ("--nickname", "Nova", "--room", "nowhere"),
    ],
)
async def test_person_that_is_not_named_well_is_refused(arguments):
    with pytest.raises(CommandError):
        await command("erase_person", *arguments)
