"""Old data go: by the database's clock, at the start, in pieces, by one process of several."""

import asyncio
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from chat import runtime
from chat.models import Ban, Chore, Deletion, Message, Room
from chat.services import rooms
from chat.storage import database, retention
from tests.integration.test_deletions import fill
from tests.support.clients.protocol_client import DEADLINE_S


async def run():
    """One round, as if an hour had passed since the last."""
    await Chore.objects.all().adelete()
    assert await retention.run(rooms.roster().publish, rooms.keys_with_people)


def ago(days):
    return timezone.now() - timedelta(days=days)


async def room(key, *, age=0, **more):
    made = await Room.objects.acreate(key=key, name=key, **more)
    await Room.objects.filter(pk=made.pk).aupdate(created_at=ago(age))
    return made


async def keys():
    return {key async for key in Room.objects.values_list("key", flat=True)}


@pytest.fixture(autouse=True)
def short(settings):
    settings.ROOM_RETENTION_DAYS = 10
    settings.BAN_RETENTION_DAYS = 20
    settings.ADMIN_LOG_RETENTION_DAYS = 30
    settings.FAILED_LOGIN_RETENTION_DAYS = 5


async def test_empty_rooms_go_and_those_that_are_used_or_decided_stay(enter):
    await enter("Nova", key="lived-in")
    await Room.objects.filter(key="lived-in").aupdate(created_at=ago(11))
    await room("old", age=11)
    await room("young", age=9)
    await room("closed", age=11, closed_at=timezone.now())
    await room("large", age=11, capacity=500)
    banned = await room("banned", age=11)
    await Ban.objects.acreate(room=banned, browser="b", nickname="N")
    await fill("spoken", 1)
    await Room.objects.filter(key="spoken").aupdate(created_at=ago(11))
    await run()
    assert await keys() == {"lived-in", "young", "closed", "large", "banned", "spoken"}


async def test_room_without_messages_is_deleted_with_its_deletions(settings):
    await fill("spoken", 3)
    await Room.objects.aupdate(created_at=ago(11))
    await Message.objects.aupdate(sent_at=ago(settings.RETENTION_DAYS + 1))
    await run()
    assert await keys() == set()
    assert not await Deletion.objects.aexists()


async def test_many_empty_rooms_all_go():
    old = (Room(key=f"r-{n}", name="R") for n in range(retention.PIECE * 2 + 1))
    await Room.objects.abulk_create(old)
    await Room.objects.aupdate(created_at=ago(11))
    await run()
    assert not await Room.objects.aexists()


async def test_bans_the_admins_log_failed_logins_and_sessions_go_at_their_time():
    place = await room("place")
    user = await User.objects.acreate_user("admin")
    for days in (4, 40):
        ban = await Ban.objects.acreate(room=place, browser=f"{days}", nickname="N")
        await Ban.objects.filter(pk=ban.pk).aupdate(created_at=ago(days))
        await LogEntry.objects.acreate(
            user=user, object_repr=f"{days}", action_flag=CHANGE, action_time=ago(days)
        )
        attempt = await AccessAttempt.objects.acreate(
            username=f"{days}", failures_since_start=1, ip_address="192.0.2.1"
        )
        await AccessAttempt.objects.filter(pk=attempt.pk).aupdate(attempt_time=ago(days))
        await Session.objects.acreate(
            session_key=f"{days}", session_data="", expire_date=ago(days - 5)
        )
    await run()
    assert [ban.browser async for ban in Ban.objects.all()] == ["4"]
    assert [entry.object_repr async for entry in LogEntry.objects.all()] == ["4"]
    assert [attempt.username async for attempt in AccessAttempt.objects.all()] == ["4"]
    assert [session.session_key async for session in Session.objects.all()] == ["4"]


async def test_one_process_an_hour_runs_the_retention():
    tries = [retention.run(rooms.roster().publish, rooms.keys_with_people) for _ in range(5)]
    assert sorted(await asyncio.gather(*tries)) == [False, False, False, False, True]
    await Chore.objects.aupdate(begun_at=ago(1))
    assert await retention.run(rooms.roster().publish, rooms.keys_with_people)


async def test_clock_of_the_process_decides_nothing(monkeypatch):
    await fill("spoken", 2)
    monkeypatch.setattr(timezone, "now", lambda: ago(-10_000))
    await run()
    assert await Message.objects.acount() == 2


async def test_retention_runs_when_a_process_starts(enter, settings, monkeypatch):
    monkeypatch.setattr(runtime, "RETENTION_DELAY_S", 0.1)
    await fill("spoken", 2)
    await Message.objects.aupdate(sent_at=ago(settings.RETENTION_DAYS + 1))
    await enter("Nova", key="elsewhere")
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if not await database.query(Message.objects.exists):
                return
            await asyncio.sleep(0.05)
