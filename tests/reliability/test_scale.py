"""Load of many people.

Two thousand lose a process and reconnect at once; ten thousand are silent; people come and go for
long.
"""

import asyncio
import resource
import time
from collections.abc import Callable

import pytest
from redis.asyncio import Redis as Connection

from tests.reliability.test_process_killed import ROOMS, killed_under_load
from tests.support.clients.guest_process import guests
from tests.support.clients.swarm import Swarm, percentile
from tests.support.figures.process_usage import Load, slope, tasks
from tests.support.figures.verdicts import closed
from tests.support.servers.production import as_operated
from tests.support.servers.two_process_site import TwoProcessSite

FILES_FOR_10_000 = 11_000
P99_WINDOW_S = 8.0
IDLE_S = 30.0
SETTLE_S = 5.0
# Ten times the target's 5 a second, so that the cost of an hour shows in minutes.
COMING_PER_S = 50
FASTER = COMING_PER_S / 5
STAY_S = 2.0
WARM_UP_S = 45.0
SOAK_S = 120.0
GRACE_AND_SWEEP_S = 14.0


@pytest.fixture
def site(start_site: Callable[..., TwoProcessSite]) -> TwoProcessSite:
    """Redis and two processes as in operation."""
    return start_site(**as_operated())


@pytest.mark.target("R2")
@pytest.mark.slow
async def test_killed_process_of_two_thousand_does_not_delay_others(site, figure):
    async with Swarm(site.url) as swarm, guests(site.processes[0].url, 20, ROOMS) as bystanders:
        at = await killed_under_load(site, swarm, 99, figure, back_s=8, others=bystanders.here)
        await bystanders.leave()
        delays = [d for when, d in bystanders.delays if at <= when < at + P99_WINDOW_S]
        p99_ms = percentile(delays, 0.99) * 1000
        figure("delay at the other process meanwhile (p99)", p99_ms, limit=150, unit="ms")


@pytest.mark.target("R15")
@pytest.mark.slow
async def test_two_thousand_participants_enter_at_once(site, figure):
    async with Swarm(site.url) as swarm:
        crowd = swarm.invite([f"room-{n}" for n in range(100)], 20)
        start = time.monotonic()
        ends = await asyncio.gather(*(guest.enter() for guest in crowd), return_exceptions=True)
        refused = sum(isinstance(end, BaseException) for end in ends)
        figure("people who were refused", refused, limit=0)
        took_s = max(back for guest in crowd for back in guest.backs[:1]) - start
        figure("until all 2,000 were in 100 rooms", took_s, limit=6, unit="s")
        figure("sockets closed", closed(crowd), limit=0)


@pytest.mark.target("R14")
@pytest.mark.slow
async def test_ten_thousand_idle_sockets_are_cheap(site, figure):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES_FOR_10_000:
        pytest.skip(f"this machine gives a process {hard} files at most")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES_FOR_10_000), hard))
    process = site.processes[0]
    process.restart()  # it inherits the limit
    keys = [f"idle-{n}" for n in range(500)]
    async with Swarm(process.url) as swarm:
        load = Load(process.pid)
        before = load.memory_bytes()
        await swarm.enter(keys, 20)
        await asyncio.sleep(SETTLE_S)
        each_kb = (load.memory_bytes() - before) / len(swarm.guests) / 1000
        start, busy = time.monotonic(), load.cpu_s()
        await asyncio.sleep(IDLE_S)
        share = 100 * (load.cpu_s() - busy) / (time.monotonic() - start)
        async with guests(process.url, 10, [f"talk-{n}" for n in range(10)]) as talkers:
            await asyncio.sleep(IDLE_S)
            await talkers.leave()
        delays = [delay for _, delay in talkers.delays]
        figure("memory of a socket", each_kb, limit=50, unit="kB")
        figure("share of a core", share, limit=15, unit="%")
        figure("delay of a message (p99)", percentile(delays, 0.99) * 1000, limit=250, unit="ms")
        figure("sockets closed", closed(swarm.guests), limit=0)


async def come_and_go(swarm: Swarm, until: float) -> int:
    """Let people enter rooms, stay for a while, and go; return how many.

    Every second one goes without leaving the room.
    """
    visits: list[asyncio.Task[None]] = []

    async def visit(number: int) -> None:
        (guest,) = swarm.invite([ROOMS[number % len(ROOMS)]], 1)
        await guest.enter()
        await asyncio.sleep(STAY_S)
        if number % 2:
            await guest.leave()
        await swarm.dismiss([guest])

    while time.monotonic() < until:
        visits.append(asyncio.create_task(visit(len(visits))))
        await asyncio.sleep(1 / COMING_PER_S)
    await asyncio.gather(*visits)
    return len(visits)


async def held(redis: Connection, site: TwoProcessSite) -> dict[str, int]:
    """Return the resources that each visit takes and has to give back."""
    found = {"Redis keys": await redis.dbsize()}
    found["subscriptions"] = len(await redis.pubsub_channels())
    for number, process in enumerate(site.processes, 1):
        found[f"descriptors of process {number}"] = Load(process.pid).files()
        found[f"tasks of process {number}"] = await asyncio.to_thread(tasks, process.url)
    return found


@pytest.mark.target("R13")
@pytest.mark.slow
async def test_churn_leaks_no_memory_or_keys(site, figure):
    loads = [Load(process.pid) for process in site.processes]
    memory: list[list[tuple[float, float]]] = [[] for _ in loads]

    async def watch() -> None:
        while True:
            for samples, load in zip(memory, loads, strict=True):
                samples.append((time.monotonic(), load.memory_bytes()))
            await asyncio.sleep(1)

    async with Swarm(site.url) as swarm, Connection.from_url(site.redis.url) as redis:
        await swarm.enter(ROOMS, 10)
        # A process keeps the memory that it needs to serve many people at once.
        for _ in range(3):
            await swarm.dismiss(await swarm.enter(ROOMS, 10))
        await come_and_go(swarm, time.monotonic() + WARM_UP_S)
        await asyncio.sleep(GRACE_AND_SWEEP_S)
        before = await held(redis, site)
        watching = asyncio.create_task(watch())
        visits = await come_and_go(swarm, time.monotonic() + SOAK_S)
        watching.cancel()
        assert visits > SOAK_S * COMING_PER_S * 0.8, "the visits came too slowly"
        after = await held(redis, site)
        for _ in range(60):
            if any(after[name] > before[name] for name in before):
                await asyncio.sleep(1)
                after = await held(redis, site)
        left = {name: after[name] - before[name] for name in before}
        figure("sockets closed", closed(swarm.guests), limit=0)
    for name, more in left.items():
        figure(f"{name} left 60 s after the last leave", more, limit=0)
    # Extrapolated: the cost of so many visits, at the target's five a second.
    hourly_mb = max(slope(samples) for samples in memory) * 3600 / 1e6 / FASTER
    figure("memory a process gains in an hour of 5 visits a second", hourly_mb, limit=2, unit="MB")
