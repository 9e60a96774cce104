"""D11: a store of state dies for good, and its replacement takes over."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.clients.swarm import Swarm
from tests.support.figures.verdicts import ROOMS, closed, record_delivery, until_heard, until_true
from tests.support.servers.replicated_postgres import Replicated
from tests.support.servers.sentinel import Sentinels
from tests.support.waiting import until

EACH = 4
MESSAGES_PER_S = 10
BEFORE_S, AFTER_S = 2.0, 1.0
BACK_S = 15


@pytest.fixture
def sentinels(tmp_path) -> Iterator[Sentinels]:
    sentinels = Sentinels(tmp_path)
    try:
        sentinels.start()
        yield sentinels
    finally:
        sentinels.stop()


@pytest.fixture
def replicated() -> Iterator[Replicated]:
    replicated = Replicated()
    try:
        replicated.start()
        yield replicated
    finally:
        replicated.stop()


async def judged(site, figure, fail: Callable[[], object]) -> None:
    """Let people talk while `fail` kills a store, and judge their messages.

    `fail` returns when the replacement has taken over.
    """
    async with Swarm(site.url) as swarm:
        await swarm.enter(ROOMS, EACH)
        async with swarm.talking(MESSAGES_PER_S):
            await asyncio.sleep(BEFORE_S)
            killed = time.monotonic()
            await asyncio.to_thread(fail)
            heard_s = await until_heard(swarm.guests, killed)
            true_s = await until_true(swarm.guests, killed)
            await asyncio.sleep(AFTER_S)
        figure("sockets closed", closed(swarm.guests), limit=0)
        record_delivery(figure, await swarm.judge())
        figure("until messages reached everybody again", heard_s, limit=BACK_S, unit="s")
        figure("until presence was true", true_s, limit=BACK_S, unit="s")
        newcomers = await swarm.enter(ROOMS, 1)
        await until_true([*swarm.guests], time.monotonic())
        assert len(newcomers) == len(ROOMS)


@pytest.mark.target("D11")
@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_sentinel_failover_loses_no_message(start_site, sentinels, figure, how):
    site = start_site(REDIS_URL=sentinels.url)
    replica = sentinels.replica.port

    def fail() -> None:
        sentinels.master.kill() if how == "killed" else sentinels.master.freeze()
        until(lambda: sentinels.master_port() == replica, "another master", seconds=30)

    site.redis.kill()  # these settings do not name it
    await judged(site, figure, fail)


@pytest.mark.target("D11")
async def test_standby_promotion_loses_no_message(start_site, replicated, figure):
    site = start_site(DATABASE_URL=replicated.url)

    def fail() -> None:
        replicated.primary.kill()
        replicated.promote()

    await judged(site, figure, fail)
