"""One of two processes loses Redis for longer than a lease, while the other keeps it."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.clients.swarm import Swarm
from tests.support.figures.verdicts import (
    LEASE_AND_SWEEP_S,
    ROOMS,
    closed,
    record_delivery,
    until_heard,
    until_true,
)
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import free_port
from tests.support.servers.redis import Redis
from tests.support.servers.two_process_site import STOP_S, start_balancer

AWAY_S = 25.0  # a lease, and then some
MESSAGES_PER_S = 5


class Relay:
    """A relay between one process and Redis, which passes nothing while it is frozen."""

    def __init__(self, redis: Redis) -> None:
        self.port = free_port()
        self._process = start_balancer(self.port, [redis.port])

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(STOP_S)


@pytest.fixture
def relay(redis: Redis) -> Iterator[Relay]:
    redis.start()
    redis.forget()
    relay = Relay(redis)
    yield relay
    relay.stop()


@pytest.fixture
def processes(tmp_path: Path, redis: Redis, relay: Relay) -> Iterator[list[Process]]:
    """Start two processes; the second one uses the relay."""
    found = []
    for number, port in enumerate((redis.port, relay.port)):
        (own := tmp_path / str(number)).mkdir()
        database = f"sqlite:///{tmp_path / 'noom.sqlite3'}"
        url = f"redis://127.0.0.1:{port}"
        found.append(Process(own, REDIS_URL=url, PROCESSES="2", DATABASE_URL=database))
        found[-1].start()
    yield found
    relay.thaw()
    for process in found:
        process.stop()


@pytest.mark.target("C5")
@pytest.mark.slow
async def test_process_cut_off_from_redis_keeps_its_members(
    relay: Relay, processes: list[Process], figure: Callable[..., None]
):
    here, parted = processes
    async with Swarm(here.url) as swarm:
        await swarm.enter(ROOMS, 3)
        theirs = await swarm.enter(ROOMS, 3, url=parted.url)
        async with swarm.talking(MESSAGES_PER_S):
            await asyncio.sleep(1)
            relay.freeze()
            await asyncio.sleep(AWAY_S)
            assert not theirs[0].beats[-1].ok, "the premise failed"
            relay.thaw()
            back_at = time.monotonic()
            true_s = await until_true(swarm.guests, back_at)
        figure("until presence was true", true_s, limit=LEASE_AND_SWEEP_S, unit="s")
        heard_s = await until_heard(swarm.guests, back_at)
        figure("until events reached everybody", heard_s, limit=LEASE_AND_SWEEP_S, unit="s")
        figure("sockets closed", closed(swarm.guests), limit=0)
        record_delivery(figure, await swarm.judge())
