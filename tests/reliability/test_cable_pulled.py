"""A pulled cable: nobody says goodbye, and neither kernel knows."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clients.guest_process import guests
from tests.support.clients.swarm import Swarm, until
from tests.support.servers.cluster import Process
from tests.support.servers.network_namespaces import MISSING, Namespace
from tests.support.servers.production import as_operated

KEYS = [f"room-{n}" for n in range(50)]


class Reachable(Process):
    """A process at an address of this machine that a namespace can reach."""

    def __init__(self, folder: Path, host: str, **environment: str) -> None:
        settings = as_operated() | {"ALLOWED_HOSTS": f"{host},127.0.0.1"}
        super().__init__(folder, **settings, **environment)
        self.command = ("serve", "-b", host, "-p")
        self.url = f"http://{host}:{self.port}"


def connections_from(address: str) -> int:
    """Return how many TCP connections to this address the kernel keeps."""
    reversed_hex = socket.inet_aton(address)[::-1].hex().upper()
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[2].startswith(reversed_hex) for line in lines)


@pytest.fixture
def home():
    home = Namespace()
    home.open()
    yield home
    home.close()


@pytest.fixture
def reachable(home: Namespace, redis, tmp_path: Path):
    process = Reachable(tmp_path, home.gate, REDIS_URL=redis.url)
    process.start()
    yield process
    process.stop()


@pytest.mark.target("R9")
@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=MISSING)
async def test_participants_behind_a_pulled_cable_leave_in_time(
    home: Namespace, reachable: Reachable, figure: Callable[..., None]
):
    async with Swarm(reachable.url) as swarm:
        await swarm.enter(KEYS, 1, own_addresses=False)
        async with guests(reachable.url, 0, KEYS, inside=home.inside):
            await until(
                lambda: all(len(g.roster.people) == 2 for g in swarm.guests), "all", seconds=10
            )
            assert connections_from(home.own) == len(KEYS)
            home.silence()
            at = time.monotonic()
            await until(
                lambda: all(len(g.roster.people) == 1 for g in swarm.guests),
                "them to be gone from every list",
                seconds=90,
            )
            figure("until gone from all lists", time.monotonic() - at, limit=20, unit="s")
            await until(lambda: not connections_from(home.own), "their end", seconds=90)
            figure("until their sockets were freed", time.monotonic() - at, limit=60, unit="s")
