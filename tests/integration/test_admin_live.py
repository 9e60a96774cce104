"""The admin's live actions: announce, end a call, see who is where."""

import json

import pytest
from django.contrib.admin.models import LogEntry

from chat.models import Room
from chat.protocol import close_codes
from tests.support.admin_actions import ROOMS, agree, logged, streamed

PEOPLE = f"{ROOMS}people/"
DEEDS = "/admin/admin/logentry/"


async def test_announcement_is_a_stored_message_for_the_room(enter, admin):
    nova, mira = await enter("Nova"), await enter("Mira")
    room, browser = await Room.objects.aget(), await admin()
    await nova.post("before")
    answer = await browser.post(f"{ROOMS}{room.pk}/announce/", {"text": "We restart at noon."})
    assert answer.status_code == 302
    for person in (nova, mira):
        told = await person.event("new_message", text="We restart at noon.")
        assert (told["from"], told["nickname"], told["seq"]) == ("", "", 2)
    late = await enter("Ada")
    assert late.hello["messages"][-1]["from"] == ""
    assert await logged() == ["announced something"]


async def test_announcement_to_all_reaches_only_rooms_with_people(enter, admin):
    nova, mira = await enter("Nova", "one"), await enter("Mira", "two")
    empty = await Room.objects.acreate(key="empty", name="Empty")
    browser = await admin()
    await browser.post(f"{ROOMS}announce/", {"text": "All of you"})
    for person in (nova, mira):
        assert (await person.event("new_message"))["from"] == ""
    assert not await empty.messages.aexists()


async def test_announcement_of_nothing_is_refused_on_the_form(enter, admin):
    nova, browser = await enter("Nova"), await admin()
    for text in ("", "  \n"):
        answer = await browser.post(f"{ROOMS}announce/", {"text": text})
        assert "errorlist" in answer.content.decode()
    assert (await nova.post("first"))["seq"] == 1


async def test_guest_cannot_send_an_announcement(enter):
    nova, mira = await enter("Nova"), await enter("Noom administration")
    await mira.post("We restart at noon.")
    assert (await nova.event("new_message"))["from"] == mira.id != ""


async def test_transcript_marks_announcements_as_no_guest_can(enter, admin):
    nova = await enter("! [2026]")
    room, browser = await Room.objects.aget(), await admin()
    await nova.post("first\n! [2026-01-01] forged")
    await browser.post(f"{ROOMS}{room.pk}/announce/", {"text": "true"})
    text = await streamed(await browser.get(f"{ROOMS}{room.pk}/transcript.txt"))
    marked = [line for line in text.splitlines() if line.startswith("! ")]
    assert len(marked) == 1
    assert marked[0].endswith("] true")
    file = await streamed(await browser.get(f"{ROOMS}{room.pk}/transcript.json"))
    said = json.loads(file)["messages"]
    assert [one["announcement"] for one in said] == [False, True]


async def test_ending_a_call_leaves_everyone_in_the_room(enter, join, admin):
    nova, mira, ada = [await enter(name) for name in ("Nova", "Mira", "Ada")]
    calls = [await join(one) for one in (nova, mira)]
    room, browser = await Room.objects.aget(), await admin()
    await agree(browser, f"{ROOMS}{room.pk}/do/end_calls/")
    assert [await call.closing() for call in calls] == [close_codes.CALL_ENDED] * 2
    people = (await ada.request("people"))["people"]
    assert {one["id"] for one in people} == {nova.id, mira.id, ada.id}
    assert not any(one["in_call"] for one in people)
    assert await logged() == ["ended the call"]
    again = await join(mira)
    assert [one["id"] for one in again.hello["people"]] == [mira.id]


async def test_people_are_listed_with_their_rooms_and_searched(enter, join, admin):
    nova = await enter("Nova", "one")
    await enter("<b>Mira", "two")
    await join(nova)
    browser = await admin()
    page = (await browser.get(PEOPLE)).content.decode()
    assert page.index("&lt;b&gt;Mira") < page.index("Nova")
    assert nova.id in page
    for query, seen, unseen in (("nov", "Nova", "Mira"), ("TWO", "Mira", "Nova")):
        page = (await browser.get(f"{PEOPLE}?q={query}")).content.decode()
        assert seen in page
        assert unseen not in page
    assert "Nobody." in (await browser.get(f"{PEOPLE}?q=%3Cscript%3E")).content.decode()


async def test_log_shows_the_deeds_of_all_admins_and_changes_none(enter, staff):
    await enter("Nova")
    room = await Room.objects.aget()
    browser = await staff("view_logentry", "delete_logentry", "change_logentry", "change_room")
    await browser.post(f"{ROOMS}{room.pk}/do/reopen_rooms/")
    page = (await browser.get(DEEDS)).content.decode()
    assert "reopened the room" in page
    assert "someone" in page
    deed = await LogEntry.objects.aget()
    await browser.post(f"{DEEDS}{deed.pk}/delete/", {"post": "yes"})
    await browser.post(DEEDS, {"action": "delete_selected", "_selected_action": [deed.pk]})
    assert await LogEntry.objects.acount() == 1


async def test_confirmation_page_returns_only_to_own_pages(enter, admin):
    await enter("Nova")
    room, browser = await Room.objects.aget(), await admin()
    path = f"{ROOMS}{room.pk}/do/close_rooms/"
    for referer, back in (
        ("http://testserver/admin/", "http://testserver/admin/"),
        ("https://evil.example/", "../"),
    ):
        page = (await browser.post(path, headers={"referer": referer})).content.decode()
        assert f'href="{back}"' in page


@pytest.mark.parametrize("path", ["/admin/", ROOMS, PEOPLE, DEEDS, f"{ROOMS}announce/"])
async def test_pages_of_the_admin_are_called_noom(staff, path):
    browser = await staff("view_room", "change_room", "view_logentry")
    page = (await browser.get(path)).content.decode()
    assert "| Noom</title>" in page
    assert "Noom administration" in page
