"""Redis is killed, emptied, filled, shut: sockets live, and no message is lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise

import pytest
from redis.asyncio import Redis as Connection

from tests.support.clients.swarm import Swarm
from tests.support.clients.websocket import Wire
from tests.support.figures.verdicts import (
    ANSWER_S,
    LEASE_AND_SWEEP_S,
    ROOMS,
    Sends,
    closed,
    record_delivery,
    timed,
    until_heard,
    until_rebuilt,
    until_true,
)
from tests.support.servers.redis import Redis

EACH = 6
MESSAGES_PER_S = 10
BEFORE_S = 2.0
KILLED_S = 3.0
REFUSING_S = 6.0


@pytest.mark.target("R4")
async def test_restarted_redis_closes_no_socket_and_loses_no_message(site, figure):
    async with Swarm(site.url) as swarm:
        await swarm.enter(ROOMS, EACH)
        async with swarm.talking(MESSAGES_PER_S):
            await asyncio.sleep(BEFORE_S)
            site.redis.kill()
            await asyncio.sleep(KILLED_S)
        await asyncio.to_thread(site.redis.start)
        back = time.monotonic()
        verdict = await swarm.judge()
        through_s = time.monotonic() - back
        heard_s = await until_heard(swarm.guests, back)
        true_s = await until_true(swarm.guests, back)
        figure("sockets closed", closed(swarm.guests), limit=0)
        record_delivery(figure, verdict)
        figure("until all had everything, after its return", through_s, limit=5, unit="s")
        figure("until events reached everybody", heard_s, limit=LEASE_AND_SWEEP_S, unit="s")
        figure("until presence was true", true_s, limit=LEASE_AND_SWEEP_S, unit="s")


@pytest.mark.target("R5")
@pytest.mark.slow
@pytest.mark.parametrize("how", ["emptied", "restarted"])
async def test_rosters_are_rebuilt_from_open_sockets(site, figure, how):
    async with Swarm(site.url) as swarm:
        await swarm.enter(ROOMS, EACH)
        async with swarm.talking(MESSAGES_PER_S):
            await asyncio.sleep(BEFORE_S)
            if how == "emptied":
                site.redis.forget()
            else:
                site.redis.kill()
                await asyncio.to_thread(site.redis.start)
            at = time.monotonic()
            rebuilt_s = await until_rebuilt(swarm.guests, at)
            true_s = await until_true(swarm.guests, at)
        figure("until all rooms were rebuilt", rebuilt_s, limit=10, unit="s")
        figure("until presence was true on all clients", true_s, limit=10, unit="s")
        beats = [[b.version for b in guest.beats if b.ok] for guest in swarm.guests]
        backwards = sum(b < a for versions in beats for a, b in pairwise(versions))
        figure("versions that went backwards", backwards, limit=0)
        heard_s = await until_heard(swarm.guests, at)
        figure("until events reached everybody", heard_s, limit=LEASE_AND_SWEEP_S, unit="s")
        figure("sockets closed", closed(swarm.guests), limit=0)
        record_delivery(figure, await swarm.judge())


@asynccontextmanager
async def full(redis: Redis) -> AsyncIterator[None]:
    """Fill the memory of Redis, so that it refuses new data."""
    async with Connection.from_url(redis.url) as admin:
        await admin.config_set("maxmemory-policy", "noeviction")
        await admin.config_set("maxmemory", "1mb")
        yield
        await admin.config_set("maxmemory", "0")


@asynccontextmanager
async def without_connections(redis: Redis) -> AsyncIterator[None]:
    """End all connections to Redis, and refuse new ones."""
    async with Connection.from_url(redis.url, single_connection_client=True) as admin:
        await admin.config_set("maxclients", "1")
        for kind in ("normal", "pubsub"):
            await admin.client_kill_filter(_type=kind, skipme=True)
        yield
        await admin.config_set("maxclients", "10000")


async def join(url: str) -> None:
    async with Wire(url, f"/ws/chat/{ROOMS[0]}/") as late:
        await late.enter("Late")


@pytest.mark.target("R7")
@pytest.mark.slow
@pytest.mark.parametrize("fault", [full, without_connections])
async def test_requests_that_need_redis_are_refused_with_a_reason(
    site, figure, fault: Callable[[Redis], AbstractAsyncContextManager[None]]
):
    async with Swarm(site.url) as swarm:
        staying = await swarm.enter(ROOMS, EACH)
        sends, joins = Sends(), []
        async with fault(site.redis):
            end = time.monotonic() + REFUSING_S
            while time.monotonic() < end:
                joins.append(await timed(join(site.url)))
                await sends.of(swarm.guests[::6])
                await asyncio.sleep(0.2)
        back = time.monotonic()
        assert {answer for _, answer in joins} == {"try_later"}, "joins were not refused"
        sends.record(figure)
        figure("longest wait of a join", max(s for s, _ in joins), limit=ANSWER_S, unit="s")
        await swarm.enter(ROOMS, 1)
        figure("until somebody could enter again", time.monotonic() - back, limit=5, unit="s")
        true_s = await until_true(swarm.guests, back)
        figure("until presence was true", true_s, limit=LEASE_AND_SWEEP_S, unit="s")
        figure("sockets closed", closed(swarm.guests), limit=0)
        heard_s = await until_heard(swarm.guests, back)
        figure("until events reached everybody", heard_s, limit=LEASE_AND_SWEEP_S, unit="s")
        record_delivery(figure, await swarm.judge(staying))
