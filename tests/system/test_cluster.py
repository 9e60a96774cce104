"""Two processes as one: what happens at either is seen at both, whatever dies in between."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests.support.clients.admin_client import Admin
from tests.support.clients.protocol_client import Refusal
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process, cluster_of, start_cluster, started
from tests.support.servers.dev_server import ROOT, free_port
from tests.support.servers.redis import Redis
from tests.support.waiting import until

SIGNAL = {"number": 1, "sdp": "v=0"}
# The lease is long enough for a process that the machine keeps waiting.
QUICK = {
    "PRESENCE_LEASE_S": "6",
    "HEARTBEAT_INTERVAL_S": "1",
    "RECONNECT_GRACE_S": "2",
    "RELOAD_GRACE_S": "1",
}


@pytest.fixture(scope="module")
def processes(tmp_path_factory, redis: Redis) -> Iterator[list[Process]]:
    with cluster_of(tmp_path_factory.mktemp("cluster"), redis, **QUICK) as processes:
        yield processes


@pytest.fixture
def cluster(processes: list[Process], redis: Redis) -> list[Process]:
    """Two processes, in a room of each test's own."""
    return started(processes, redis)


@pytest.fixture
def key() -> str:
    """The room of a test."""
    return f"room-{uuid.uuid4().hex}"


@pytest.fixture
async def enter(key):
    """`await enter(process, nickname)`: a chat socket at that process, in the test's room."""
    async with AsyncExitStack() as stack:

        async def enter(process, nickname, key=key):
            client = await stack.enter_async_context(Wire(process.url, f"/ws/chat/{key}/"))
            await client.enter(nickname)
            return client

        yield enter


@pytest.fixture
async def join():
    """`await join(process, chat)`: that person's call socket at that process."""
    async with AsyncExitStack() as stack:

        async def join(process, chat, session):
            path = f"/ws/call/{chat.key}/"
            client = await stack.enter_async_context(Wire(process.url, path, token=chat.token))
            await client.join(session)
            return client

        yield join


async def people(client):
    return {person["nickname"] for person in (await client.request("people"))["people"]}


async def test_people_messages_and_names_are_equal_at_both_processes(cluster, enter):
    first, second = cluster
    nova, mira = await enter(first, "Nova"), await enter(second, "Mira")
    assert await people(nova) == await people(mira) == {"Nova", "Mira"}
    other = await enter(second, "nova")
    assert other.hello["people"][2]["nickname"] == "nova (2)"
    await asyncio.gather(
        *(nova.post(f"{n}") for n in range(5)), *(mira.post("!") for _ in range(5))
    )
    orders = []
    for client in (nova, mira):
        messages = [await client.event("new_message") for _ in range(10)]
        orders.append(sorted((m["seq"], m["text"]) for m in messages))
    assert orders[0] == orders[1]
    assert [seq for seq, _ in orders[0]] == list(range(1, 11))


async def test_room_list_is_equal_at_both_processes(cluster, enter):
    first, second = cluster
    async with Wire(first.url, "/ws/lobby/") as lobby:
        await enter(second, "Nova", "far")
        expected = {"key": "far", "name": "Far", "count": 1, "in_call": 0}
        await lobby.event("room_change", rooms=[expected])


async def test_signal_crosses_from_one_process_to_the_other(cluster, enter, join):
    first, second = cluster
    nova, mira = await enter(first, "Nova"), await enter(second, "Mira")
    nova_call = await join(first, nova, "nova-1")
    mira_call = await join(second, mira, "mira-1")
    await mira_call.request("offer", to=nova.id, session="nova-1", description=SIGNAL)
    assert (await nova_call.event("offer"))["from"] == mira.id


async def test_same_participant_at_another_process_replaces_the_first(cluster, enter):
    first, second = cluster
    nova = await enter(first, "Nova")
    async with Wire(second.url, f"/ws/chat/{nova.key}/", token=nova.token) as again:
        await again.enter("Nova")
        assert await nova.closing() == 4409
        await again.expect_none("person", 1)  # nobody is said to be away
        assert [p["here"] for p in (await again.request("people"))["people"]] == [True]


async def test_people_of_a_killed_process_vanish_once(cluster, enter):
    first, second = cluster
    nova = await enter(first, "Nova")
    lost = [await enter(second, f"Lost {n}") for n in range(3)]
    second.kill()
    gone = [(await nova.event("bye"))["person"]["id"] for _ in lost]
    assert sorted(gone) == sorted(client.id for client in lost)
    await nova.expect_none("bye", 2)
    assert await people(nova) == {"Nova"}


async def test_return_at_another_process_is_no_arrival(cluster, enter):
    first, second = cluster
    nova, mira = await enter(first, "Nova"), await enter(second, "Mira")
    for count in (1, 2):
        await nova.event("welcome", count=count)
    second.kill()
    async with Wire(first.url, f"/ws/chat/{mira.key}/", token=mira.token) as back:
        await back.enter("Mira", last_seq=0)
        await nova.expect_none("bye", 7)
        await nova.expect_none("welcome", 0.1)
        assert await people(nova) == {"Nova", "Mira"}


async def test_sigterm_closes_every_page_with_4412(cluster, enter):
    first, second = cluster
    nova, mira = await enter(first, "Nova"), await enter(second, "Mira")
    second.signal(signal.SIGTERM)
    assert await mira.closing() == 4412
    assert (await nova.event("person"))["person"]["here"] is False
    assert await asyncio.to_thread(second.wait, 10) == 0


async def hears_again(listener, speaker):
    """Events come again by themselves, once the subscription is back: a second after Redis is."""
    for _ in range(10 * PATIENCE):
        await speaker.post("and after")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await listener.event("new_message", text="and after")
                return
    pytest.fail("no event came")


async def test_restarted_redis_closes_no_socket_and_state_recovers(cluster, enter, redis):
    first, second = cluster
    nova, mira = await enter(first, "Nova"), await enter(second, "Mira")
    redis.kill()
    await nova.event("beat", ok=False)
    acked = await nova.post("while it was away")
    redis.start()
    await nova.event("beat", ok=True)
    await mira.event("beat", seq=acked["seq"], ok=True)
    history = await mira.request("history", after=0, limit=10)
    assert [m["text"] for m in history["messages"]] == ["while it was away"]
    async with asyncio.timeout(20 * PATIENCE):
        while await people(nova) != {"Nova", "Mira"}:
            await nova.event("beat")
    await hears_again(mira, nova)
    assert nova.close_code is None
    assert mira.close_code is None


async def test_entry_without_redis_is_refused_with_a_reason(cluster, redis):
    redis.kill()
    async with Wire(cluster[0].url, "/ws/chat/room/") as late:
        with pytest.raises(Refusal, match="try_later"):
            await late.enter("Late")
    redis.start()


def test_process_without_redis_names_the_setting(tmp_path):
    port = free_port()
    answer = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=Process(
            tmp_path,
            DEBUG="0",
            SECRET_KEY="s" * 64,
            ALLOWED_HOSTS="127.0.0.1",
            REDIS_URL=f"redis://:secret@127.0.0.1:{port}",
        ).environment,
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
    )
    assert answer.returncode != 0
    assert f"REDIS_URL: no Redis answers at 127.0.0.1:{port}" in answer.stderr
    assert "secret" not in answer.stderr


async def test_admin_at_a_third_process_sees_and_closes_the_room(tmp_path, redis, enter):
    redis.forget()
    processes = start_cluster(tmp_path, redis, 3, **QUICK)
    try:
        nova, mira = await enter(processes[0], "Nova"), await enter(processes[1], "Mira")
        admin = await asyncio.to_thread(Admin, processes[2])

        def seen() -> bool:
            page = admin.get("/admin/chat/room/?open=yes")
            both = page.count(f"{socket.gethostname()}:") == 2
            return both and '<td class="field-people">2</td>' in page

        await asyncio.to_thread(until, seen, "both people, and both processes")
        await asyncio.to_thread(admin.post, "/admin/chat/room/1/do/close_rooms/")
        assert await nova.closing() == await mira.closing() == 4404
    finally:
        for process in processes:
            process.stop()
