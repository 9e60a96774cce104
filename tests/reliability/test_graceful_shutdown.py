"""A process stops after SIGTERM, whatever it waits for, and informs its people."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, suppress

import pytest

from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process, start_cluster
from tests.support.servers.postgres import Postgres
from tests.support.servers.redis import Redis

PEOPLE = 8
STOPS, CLIENTS = 6, 8
CONNECT_INTERVAL_S = 0.005  # between two connections of a client

pytestmark = pytest.mark.target("R3")


@pytest.fixture
def own_redis(tmp_path) -> Iterator[Redis]:
    """A Redis that a test may lose."""
    redis = Redis(tmp_path)
    redis.start()
    yield redis
    redis.kill()


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    postgres = Postgres()
    postgres.start()
    yield postgres
    postgres.thaw()
    postgres.stop()


@pytest.fixture
def cluster(tmp_path, own_redis: Redis, request) -> Iterator[list[Process]]:
    settings = {"HEARTBEAT_INTERVAL_S": "1"}
    if "postgres" in request.fixturenames:
        settings["DATABASE_URL"] = request.getfixturevalue("postgres").url
    cluster = start_cluster(tmp_path, own_redis, 2, **settings)
    yield cluster
    for process in cluster:
        process.kill()


@pytest.fixture
async def people(cluster: list[Process]) -> AsyncIterator[list[Wire]]:
    """Sockets of people in rooms and calls at both processes."""
    async with AsyncExitStack() as stack:
        lines = []
        for number in range(PEOPLE):
            url, key = cluster[number % 2].url, f"room-{number % 4}"
            chat = await stack.enter_async_context(Wire(url, f"/ws/chat/{key}/"))
            await chat.enter(f"P{number}")
            path = f"/ws/call/{key}/"
            call = await stack.enter_async_context(Wire(url, path, token=chat.token))
            await call.join()
            lines += [chat, call]
        yield lines


async def stop(cluster: list[Process], people: list[Wire], figure: Callable[..., None]) -> None:
    """Send SIGTERM to all at once, and check that everyone learns of it and all processes end."""
    began = time.monotonic()
    for process in cluster:
        process.signal(signal.SIGTERM)
    codes = await asyncio.gather(*(line.closing() for line in people))
    figure("all know", time.monotonic() - began, limit=1, unit="s")
    assert codes == [4412] * len(people)
    for process in cluster:
        assert await asyncio.to_thread(process.wait, 20) == 0
    figure("ended", time.monotonic() - began, limit=10, unit="s")


async def test_process_stops_without_redis(cluster, people, own_redis, figure):
    own_redis.kill()
    await people[0].event("beat", ok=False)
    await stop(cluster, people, figure)


async def test_process_stops_while_redis_is_frozen(cluster, people, own_redis, figure):
    own_redis.freeze()
    await asyncio.sleep(2)  # by then both processes wait for it
    await stop(cluster, people, figure)


async def test_process_stops_while_the_database_is_frozen(cluster, people, postgres, figure):
    postgres.freeze()
    saying = [asyncio.create_task(line.post("into the ice")) for line in people[::2]]
    await asyncio.sleep(1)  # by then they wait in the threads of the database
    try:
        await stop(cluster, people, figure)
    finally:
        said = await asyncio.gather(*saying, return_exceptions=True)
    assert all(isinstance(answer, Exception) for answer in said), "acknowledged, and not stored"


def connect(port: int) -> int:
    """Opens connections until one is refused; returns how many got neither that nor an answer."""
    lost = 0
    with ExitStack() as stack:
        opened: list[socket.socket] = []
        while True:
            try:
                client = socket.create_connection(("127.0.0.1", port), 30 * PATIENCE)
            except ConnectionRefusedError:
                break
            except ConnectionError:
                lost += 1
                continue
            opened.append(stack.enter_context(client))
            with suppress(ConnectionError):  # then it gets no answer
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            time.sleep(CONNECT_INTERVAL_S)
        return lost + sum(not is_answered(client) for client in opened)


def is_answered(client: socket.socket) -> bool:
    try:
        return client.recv(64).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


def test_connections_of_the_last_moment_are_served_or_refused(start_process, figure):
    process = start_process(RATE_LIMITS="0")
    lost = 0
    for _ in range(STOPS):
        process.start()
        with ThreadPoolExecutor(CLIENTS) as pool:
            connecting = [pool.submit(connect, process.port) for _ in range(CLIENTS)]
            time.sleep(0.3)  # all connect by then
            process.signal(signal.SIGTERM)
            lost += sum(one.result() for one in connecting)
        assert process.wait(20) == 0
    figure(f"connections neither served nor refused, in {STOPS} stops", lost, limit=0)
