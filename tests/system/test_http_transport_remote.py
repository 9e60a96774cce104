"""Requests that reach another process than the one that holds their session."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from django.conf import settings
from redis.asyncio import Redis as Connection

from chat.errors import Unavailable
from chat.http_transport.remote import RemoteSessions, Request
from chat.http_transport.requests import Send
from chat.http_transport.session import Batch, SessionGone
from tests.support.patience import PATIENCE
from tests.support.servers.redis import Redis

REQUEST = Request("/ws/chat/room/", Send("elsewhere", 1, 0), ["{}", "ü\u2028"])


async def serve(request: Request) -> Batch:
    """Returns the request, or says that there is no such session."""
    if request.head.session == "gone":
        raise SessionGone
    return Batch("\n".join(request.frames).encode(), 7, True)


@pytest.fixture
async def start(redis: Redis) -> AsyncIterator[Callable[[str], Awaitable[RemoteSessions]]]:
    """`await start(name)`: a process's end."""
    redis.start()
    started = []

    async def start(name: str) -> RemoteSessions:
        others = RemoteSessions(
            Connection.from_url(redis.url, **settings.REDIS_OPTIONS), name, serve
        )
        started.append(others)
        await others.start()
        return others

    yield start
    redis.start()
    await asyncio.gather(*(others.stop() for others in started))


async def test_holder_answers_for_its_own_sessions_only(start):
    one, two = await start("one"), await start("two")
    expected = Batch("{}\nü\u2028".encode(), 7, True)
    assert await one.request("two", REQUEST) == expected
    assert await two.request("one", REQUEST) == expected
    with pytest.raises(SessionGone):
        await one.request("two", Request("/", Send("gone", 1, 0), []))
    many = await asyncio.gather(*(one.request("two", REQUEST) for _ in range(200)))
    assert many == [expected] * 200


async def test_process_that_is_no_more_is_known(start, monkeypatch):
    monkeypatch.setattr("chat.http_transport.remote.RESUBSCRIBE_S", 0.0)
    one, two = await start("one"), await start("two")
    hangs = asyncio.Event()
    two._serve = lambda _: hangs.wait()
    asked = asyncio.create_task(one.request("two", REQUEST))
    await asyncio.sleep(0.1)
    assert not asked.done()
    await two.stop()
    for question in (asked, one.request("two", REQUEST), one.request("never was", REQUEST)):
        async with asyncio.timeout(1.5 * PATIENCE):
            with pytest.raises(SessionGone):
                await question


async def test_without_redis_no_process_counts_as_dead(start, redis):
    one, two = await start("one"), await start("two")
    redis.kill()
    with pytest.raises(Unavailable):
        await one.request("two", REQUEST)
    await asyncio.to_thread(redis.start)
    async with asyncio.timeout(5 * PATIENCE):
        while True:
            try:
                assert (await one.request("two", REQUEST)).last == 7
                break
            except Unavailable:
                await asyncio.sleep(0.05)
    assert (await two.request("one", REQUEST)).last == 7


async def test_process_starts_only_when_reachable_by_others(start, redis):
    redis.kill()
    with pytest.raises(Unavailable):
        await start("one")
    await asyncio.to_thread(redis.start)


async def test_garbage_is_ignored(start, redis):
    one, _ = await start("one"), await start("two")
    async with Connection.from_url(redis.url) as stranger:
        for garbage in (b"", b"\xff\xfe", b"\x80", b"\x81\xa4type\xa3ask", b"\xc1"):
            assert await stranger.publish("noom:http:two", garbage) == 1
    assert (await one.request("two", REQUEST)).last == 7
