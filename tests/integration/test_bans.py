"""A removed person is gone, and stays away until an admin lets them back in."""

import pytest
from django.test import AsyncClient

from chat.models import Ban, Room
from chat.protocol import close_codes
from chat.services import moderation
from chat.views import BROWSER_COOKIE
from tests.support.clients.protocol_client import Refusal

HERS = "miras-browser"


@pytest.fixture
def remove(enter):
    """`await remove()`: Nova's and the removed Mira's sockets, and Mira's as they were before."""

    async def remove():
        nova, mira = await enter("Nova"), await enter("Mira", browser=HERS)
        for count in (1, 2):
            await nova.event("welcome", count=count)
        assert await moderation.remove("room", mira.id)
        assert await mira.closing() == close_codes.REMOVED
        return nova, mira

    return remove


async def refused(connect, **options) -> str:
    client = await connect("/ws/chat/room/", **options)
    with pytest.raises(Refusal) as refusal:
        await client.request("enter_room", token=client.token, nickname="Somebody else")
    return refusal.value.code


async def test_removal_reaches_the_room_at_once(remove):
    nova, mira = await remove()
    assert (await nova.event("bye"))["person"]["id"] == mira.id
    assert [p["id"] for p in (await nova.request("people"))["people"]] == [nova.id]


async def test_removed_cannot_return_by_token_or_browser_under_any_name(remove, connect):
    nova, mira = await remove()
    await nova.event("bye")
    assert await refused(connect, token=mira.token) == "removed"
    assert await refused(connect, browser=HERS) == "removed"
    call = await connect("/ws/call/room/", token=mira.token)
    with pytest.raises(Refusal, match="not_in_room"):
        await call.request("join_room", **call.joining("two"))
    await nova.expect_none("welcome")


async def test_all_pages_of_the_browser_go_and_its_calls_end(enter, join):
    nova, mira = await enter("Nova"), await enter("Mira", browser=HERS)
    other = await enter("Mira too", browser=HERS)
    calls = [await join(mira), await join(other)]
    hears = await join(nova)
    await moderation.remove("room", mira.id)
    for client in (mira, other, *calls):
        assert await client.closing() == close_codes.REMOVED
    for gone in (mira, other):
        await nova.event("bye", count=2 if gone is mira else 1)
        assert (await hears.event("bye"))["person"]["id"] in (mira.id, other.id)


async def test_elsewhere_and_for_other_browsers_nothing_changes(remove, enter):
    await remove()
    assert await enter("Mira", "another-room", browser=HERS)
    assert await enter("Mira", browser="somebody-elses")


async def test_lifted_ban_allows_entry(remove, enter):
    await remove()
    await moderation.let_back_in((await Ban.objects.aget()).pk)
    assert (await enter("Mira", browser=HERS)).hello["you"]


async def test_lost_removal_takes_effect_at_the_next_heartbeat(enter, settings):
    settings.HEARTBEAT_INTERVAL_S = 0.1
    nova, mira = await enter("Nova"), await enter("Mira", browser=HERS)
    await Ban.objects.acreate(room=await Room.objects.aget(), browser=HERS, nickname="Mira")
    assert await mira.closing() == close_codes.REMOVED
    await mira.close()
    assert (await nova.event("bye"))["person"]["id"] == mira.id


async def test_removing_an_absent_participant_bans_nobody(enter):
    nova = await enter("Nova")
    await nova.request("leave_room")
    assert not await moderation.remove("room", nova.id)
    assert not await Ban.objects.aexists()


async def test_events_do_not_name_browsers(enter):
    nova, mira = await enter("Nova"), await enter("Mira", browser=HERS)
    await mira.request("nickname", nickname="Mi")
    for event in ("welcome", "nickname"):
        person = (await nova.event(event))["person"]
        assert set(person) == {"id", "here", "since", "nickname", "host", "in_call"}
    assert all("browser" not in person for person in mira.hello["people"])


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "You were removed from this room"), ("ko", "이 방에서 내보내졌어요")],
)
async def test_room_page_shows_the_ban(language, words):
    browser = AsyncClient()
    await browser.get("/rooms/room/")
    signed = browser.cookies[BROWSER_COOKIE].value
    name = signed.rpartition(":")[0].rpartition(":")[0]
    room = await Room.objects.acreate(key="room", name="Room")
    await Ban.objects.acreate(room=room, browser=name, nickname="Mira")
    answer = await browser.get("/rooms/room/", headers={"accept-language": language})
    assert answer.status_code == 403
    assert words in answer.content.decode()
    assert "room-data" not in answer.content.decode()
    assert (await browser.get("/rooms/another/")).status_code == 200
