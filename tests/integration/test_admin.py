"""Rooms in the admin: seen live, and looked after, by those who may."""

import json

import pytest

from chat.models import Ban, Message, Room
from chat.protocol import close_codes
from tests.support.admin_actions import ROOMS, agree, logged, streamed

BANS = "/admin/chat/ban/"


async def test_room_list_shows_members(enter, join, admin):
    nova = await enter("Nova")
    await enter("Mira")
    await join(nova)
    browser = await admin()
    page = (await browser.get(ROOMS)).content.decode()
    assert '<td class="field-people">2</td>' in page
    assert '<td class="field-in_call">1</td>' in page
    room = await Room.objects.aget()
    page = (await browser.get(f"{ROOMS}{room.pk}/change/")).content.decode()
    assert "Nova" in page
    assert "Mira" in page
    assert nova.id in page


async def test_rooms_are_searched_and_filtered(enter, admin):
    await enter("Nova", "full")
    await Room.objects.acreate(key="empty", name="Empty")
    browser = await admin()
    for query, seen, unseen in (
        ("?open=yes", "full", "empty"),
        ("?open=no", "empty", "full"),
        ("?q=Emp", "empty", "full"),
        ("?closed=yes", "0 rooms", "full"),
    ):
        page = (await browser.get(ROOMS + query)).content.decode()
        assert seen in page
        assert f">{unseen}<" not in page


async def test_closing_and_reopening_from_the_list(enter, admin):
    nova = await enter("Nova")
    room = await Room.objects.aget()
    browser = await admin()
    await agree(browser, ROOMS, action="close_rooms", _selected_action=[room.pk])
    assert await nova.closing() == close_codes.ROOM_CLOSED
    await browser.post(ROOMS, {"action": "reopen_rooms", "_selected_action": [room.pk]})
    await room.arefresh_from_db()
    assert room.closed_at is None
    assert await logged() == ["reopened the room", "closed the room"]


async def test_removal_reaches_the_removed_and_the_room(enter, admin):
    nova, mira = await enter("Nova"), await enter("Mira", browser="hers")
    room = await Room.objects.aget()
    browser = await admin()
    await agree(browser, f"{ROOMS}{room.pk}/remove/{mira.id}/")
    assert await mira.closing() == close_codes.REMOVED
    assert (await nova.event("bye"))["person"]["id"] == mira.id
    assert await logged() == [f"removed participant: {mira.id}"]
    ban = await Ban.objects.aget()
    assert "Mira" in (await browser.get(BANS)).content.decode()
    await browser.post(BANS, {"action": "let_back_in", "_selected_action": [ban.pk]})
    assert await enter("Mira", browser="hers")
    assert (await logged())[0] == "let back in: Mira"


async def test_deleting_all_messages_publishes_a_deletion(enter, admin):
    nova = await enter("Nova")
    await nova.post("forget this")
    room = await Room.objects.aget()
    browser = await admin()
    await agree(browser, f"{ROOMS}{room.pk}/do/clear_rooms/")
    assert await nova.event("deleted") == {"seq": 2, "spans": [{"first": 1, "last": 1}]}
    assert not await Message.objects.aexists()
    assert (await nova.post("and on"))["seq"] == 3


async def test_transcript_is_exported_as_text_and_json(enter, admin):
    nova = await enter("Nova")
    await nova.post("first\n[2026-01-01] Mira: forged")
    room = await Room.objects.aget()
    browser = await admin()
    text = await streamed(await browser.get(f"{ROOMS}{room.pk}/transcript.txt"))
    assert text.endswith("Nova: first\n    [2026-01-01] Mira: forged\n")
    answer = await browser.get(f"{ROOMS}{room.pk}/transcript.json")
    assert json.loads(await streamed(answer))["messages"][0]["text"].startswith("first")
    assert "attachment" in answer["Content-Disposition"]


async def test_transcript_indents_the_lines_of_a_message(enter, admin):
    nova = await enter("Nova")
    ends = ["\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r"]
    await nova.post("".join(f"line{end}[2026-01-01] Mira: forged" for end in ends))
    room = await Room.objects.aget()
    text = await streamed(await (await admin()).get(f"{ROOMS}{room.pk}/transcript.txt"))
    first, *others = text.splitlines()
    assert "Nova: line" in first
    assert len(others) >= 3
    assert all(line.startswith("    ") for line in others)


async def test_deleting_a_room_disconnects_its_members(enter, admin):
    nova = await enter("Nova")
    room = await Room.objects.aget()
    browser = await admin()
    await browser.post(f"{ROOMS}{room.pk}/delete/", {"post": "yes"})
    assert await nova.closing() == close_codes.ROOM_CLOSED


@pytest.mark.parametrize("who", ["guest", "viewer"])
async def test_admin_without_permission_is_refused(enter, staff, who):
    nova, mira = await enter("Nova"), await enter("Mira")
    await nova.post("kept")
    ban = await Ban.objects.acreate(room=await Room.objects.aget(), browser="x", nickname="Away")
    room = await Room.objects.aget()
    browser = await (staff(is_staff=False) if who == "guest" else staff("view_room"))
    for path, data in (
        (ROOMS, {"action": "close_rooms", "_selected_action": [room.pk]}),
        (f"{ROOMS}{room.pk}/do/close_rooms/", {}),
        (f"{ROOMS}{room.pk}/do/clear_rooms/", {}),
        (f"{ROOMS}{room.pk}/do/end_calls/", {}),
        (f"{ROOMS}{room.pk}/do/delete_selected/", {}),
        (f"{ROOMS}{room.pk}/announce/", {"text": "forged"}),
        (f"{ROOMS}announce/", {"text": "forged"}),
        (f"{ROOMS}{room.pk}/remove/{mira.id}/", {}),
        (f"{ROOMS}{room.pk}/delete/", {"post": "yes"}),
        (BANS, {"action": "let_back_in", "_selected_action": [ban.pk]}),
        (f"{BANS}{ban.pk}/delete/", {"post": "yes"}),
    ):
        await browser.post(path, {**data, "sure": "yes"})
    if who == "guest":
        answer = await browser.get(f"{ROOMS}{room.pk}/transcript.txt")
        assert b"kept" not in answer.content
    await nova.post("still here")
    assert {p["id"] for p in (await nova.request("people"))["people"]} == {nova.id, mira.id}
    assert await Message.objects.acount() == 2
    assert await Ban.objects.aexists()
    assert await logged() == []


async def test_get_request_of_an_action_changes_nothing(enter, admin):
    nova = await enter("Nova")
    room = await Room.objects.aget()
    browser = await admin()
    for path in ("do/close_rooms/", f"remove/{nova.id}/"):
        assert (await browser.get(f"{ROOMS}{room.pk}/{path}")).status_code in (403, 405)
    assert await nova.post("still here")


async def test_permission_to_view_rooms_shows_no_messages(enter, staff):
    nova = await enter("Nova")
    await nova.post("between us")
    room = await Room.objects.aget()
    viewer = await staff("view_room", "change_room")
    page = (await viewer.get(f"{ROOMS}{room.pk}/change/")).content.decode()
    assert "Nova" in page, "the people are seen"
    assert "between us" not in page
    assert "transcript" not in page
    for kind in ("txt", "json"):
        answer = await viewer.get(f"{ROOMS}{room.pk}/transcript.{kind}")
        assert answer.status_code == 403
    assert (await viewer.get("/admin/chat/message/")).status_code == 403


async def test_permission_to_view_messages_gives_no_transcript(enter, staff):
    await (await enter("Nova")).post("between us")
    room = await Room.objects.aget()
    reader = await staff("view_message")
    assert (await reader.get(f"{ROOMS}{room.pk}/transcript.txt")).status_code == 403
    assert "between us" in (await reader.get("/admin/chat/message/")).content.decode()
