"""Sockets over HTTP at two processes, none of which a session sticks to."""

import asyncio
import json
import signal
import socket
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from chat.protocol import close_codes
from tests.support.clients.http_socket import HttpWire
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process, cluster_of, started
from tests.support.servers.hostile_proxy import Proxy
from tests.support.servers.redis import Redis

STREAMS = pytest.mark.parametrize("stream", [True, False], ids=["stream", "poll"])


@pytest.fixture(scope="module")
def processes(tmp_path_factory, redis: Redis) -> Iterator[list[Process]]:
    with cluster_of(tmp_path_factory.mktemp("cluster"), redis) as processes:
        yield processes


@pytest.fixture
def cluster(processes: list[Process], redis: Redis) -> list[Process]:
    """Two processes, in a room of each test's own."""
    return started(processes, redis)


@pytest.fixture
def path() -> str:
    """The socket of the room of a test."""
    return f"/ws/chat/room-{uuid.uuid4().hex}/"


@pytest.fixture
def proxy(cluster: list[Process]) -> Iterator[Proxy]:
    with Proxy(*(process.url for process in cluster)) as proxy:
        yield proxy


@pytest.fixture
async def enter(proxy: Proxy, path: str):
    """`await enter(nickname, stream=…)`: somebody in the room, by HTTP and by both processes."""
    async with AsyncExitStack() as stack:

        async def enter(nickname, *, stream, url=""):
            wire = await stack.enter_async_context(HttpWire(url or proxy.url, path, stream=stream))
            await wire.enter(nickname)
            return wire

        yield enter


@STREAMS
async def test_lost_requests_change_no_order_at_any_process(enter, proxy, stream):
    nova, mira = await enter("Nova", stream=stream), await enter("Mira", stream=stream)
    proxy.loses = 5
    for n in range(30):
        await (nova if n % 2 else mira).post(f"{n}")
        await asyncio.sleep(0.1)  # within the rate
    proxy.loses = 0
    for client in (nova, mira):
        events = [await client.event("new_message") for _ in range(30)]
        assert [event["text"] for event in events] == [f"{n}" for n in range(30)]
        assert [event["seq"] for event in events] == list(range(1, 31))
        await client.expect_none("new_message")
    assert proxy.requests > 36, "what got lost was sent again"


@STREAMS
async def test_call_is_signalled(cluster, enter, proxy, path, stream):
    nova, mira = await enter("Nova", stream=stream), await enter("Mira", stream=stream)
    path = path.replace("chat", "call")
    async with (
        HttpWire(proxy.url, path, token=nova.token, stream=stream) as nova_call,
        Wire(cluster[1].url, path, token=mira.token) as mira_call,
    ):
        await nova_call.join("nova-1")
        await mira_call.join("mira-1")
        offer = {"number": 1, "sdp": "v=0"}
        await mira_call.request("offer", to=nova.id, session="nova-1", description=offer)
        assert (await nova_call.event("offer"))["from"] == mira.id
        await nova_call.request("answer", to=mira.id, session="mira-1", description=offer)
        assert (await mira_call.event("answer"))["from"] == nova.id


@STREAMS
async def test_client_of_a_killed_process_resumes_without_a_welcome(
    cluster, enter, proxy, path, stream
):
    nova = await enter("Nova", stream=stream, url=cluster[0].url)
    mira = await enter("Mira", stream=stream, url=cluster[1].url)
    for count in (1, 2):
        await nova.event("welcome", count=count)
    mira.http.url = proxy.url  # from now on any process is asked
    cluster[1].kill()
    assert await mira.closing() == 1006
    async with HttpWire(proxy.url, path, token=mira.token, stream=stream) as back:
        await back.enter("Mira", last_seq=0)
        await back.post("back")
        assert await nova.event("new_message", text="back")
        await nova.expect_none("welcome", 0.5)


@STREAMS
async def test_sigterm_closes_http_sessions_with_4412(cluster, enter, proxy, stream):
    mira = await enter("Mira", stream=stream, url=cluster[1].url)
    mira.http.url = proxy.url
    cluster[1].signal(signal.SIGTERM)
    assert await mira.closing() == close_codes.RESTARTING
    assert await asyncio.to_thread(cluster[1].wait, 10) == 0


@STREAMS
async def test_short_absence_of_redis_closes_no_session(enter, redis, stream):
    nova = await enter("Nova", stream=stream)
    await asyncio.to_thread(redis.kill)
    await asyncio.sleep(3)
    assert (await nova.post("while it was away"))["seq"] == 1
    await asyncio.to_thread(redis.start)
    async with asyncio.timeout(15 * PATIENCE):
        await nova.event("beat", seq=1, ok=True)
        # A message from before the new subscription arrives with the next beat alone.
        while not any(e["payload"]["text"] == "and after" for e in nova.waiting("new_message")):
            await nova.post("and after")
            await asyncio.sleep(0.5)
    assert nova.close_code is None


async def test_forged_session_and_garbage_on_redis_have_no_effect(cluster, enter, redis):
    from redis.asyncio import Redis as Connection

    nova = await enter("Nova", stream=True)
    async with Connection.from_url(redis.url) as stranger:
        channels = await stranger.pubsub_channels("noom:http:*")
        assert channels
        for channel in channels:
            for garbage in (b"", b"\xff\xfe", b"\x80", b"\x81\xa4type\xa3ask"):
                await stranger.publish(channel, garbage)
    forged = nova.line.sending(nova.line.number) | {"session": nova.line.session[:-2]}
    assert await nova.line.post(forged) == 410
    assert await nova.post("noticed nothing")


async def test_client_that_reads_nothing_is_closed(start_noom):
    noom = start_noom(MESSAGES_PER_S="1000")
    async with HttpWire(noom.url, "/ws/chat/room/") as deaf:
        await deaf.enter("Deaf")
        for _ in range(100):
            await deaf.post("x" * 4_000)
        await deaf.line.fall_silent()
        with listening_deafly(noom.url, json.dumps(deaf.line.listening(stream=True))) as unread:
            history = {"type": "history", "payload": {"after": 0}, "ref": 10_000}
            for _ in range(30):
                await deaf.line.send(json.dumps(history).encode())
                await asyncio.sleep(0.05)
            held = b""
            while b"event: close" not in held:
                held += unread.recv(100_000)
        assert b'"code":4413' in held, "too slow"
        assert len(held) < 2_000_000, "of the twelve million that were asked for"


@contextmanager
def listening_deafly(url: str, head: str) -> Iterator[socket.socket]:
    """A request for a stream, whose answer nobody reads."""
    target = urlsplit(url)
    with socket.socket() as unread:
        unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        unread.connect((target.hostname, target.port))
        unread.sendall(
            f"POST /http/chat/room/ HTTP/1.1\r\nHost: {target.netloc}\r\nOrigin: {url}\r\n"
            f"Content-Length: {len(head)}\r\n\r\n{head}".encode()
        )
        yield unread
