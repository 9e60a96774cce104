"""A decision that the layer has lost takes effect with the next beat: closed, gone, removed."""

import pytest
from django.utils import timezone

from chat.models import Ban, Room
from chat.protocol import close_codes

HERS = "miras-browser"


@pytest.fixture(autouse=True)
def _quick_beats(settings):
    settings.HEARTBEAT_INTERVAL_S = 0.1


async def close() -> None:
    await Room.objects.filter(key="room").aupdate(closed_at=timezone.now())


async def mark_deleted() -> None:
    await Room.objects.filter(key="room").aupdate(deleted_at=timezone.now())


async def delete() -> None:
    await Room.objects.filter(key="room").adelete()


async def make_again() -> None:
    await delete()
    await Room.objects.acreate(key="room", name="Another")


@pytest.mark.parametrize("decide", [close, mark_deleted, delete, make_again])
async def test_lost_end_of_a_room_sends_its_people_and_callers_out(enter, join, decide):
    nova, other = await enter("Nova"), await enter("Mira", "other")
    call = await join(nova)
    await decide()
    assert await nova.closing() == close_codes.ROOM_CLOSED
    await nova.close()
    assert await call.closing() in (close_codes.ROOM_CLOSED, close_codes.NORMAL)
    await other.post("still here")


async def test_member_of_a_recreated_room_stays(enter):
    nova = await enter("Nova")
    await make_again()
    await nova.closing()
    await nova.close()
    mira = await enter("Mira")
    for _ in range(3):
        await mira.event("beat")
    assert (await mira.post("still here"))["seq"] == 1


async def test_lost_removal_takes_all_pages_of_the_browser(enter, join):
    nova, mira = await enter("Nova"), await enter("Mira", browser=HERS)
    twice, call = await enter("Mira too", browser=HERS), await join(mira)
    await Ban.objects.acreate(room=await Room.objects.aget(), browser=HERS, nickname="Mira")
    for client in (mira, twice):
        assert await client.closing() == close_codes.REMOVED
        await client.close()
    assert await call.closing() in (close_codes.REMOVED, close_codes.NORMAL)
    await nova.post("still here")
