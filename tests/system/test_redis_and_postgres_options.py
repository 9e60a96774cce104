"""Ways to Redis and PostgreSQL of docs/operating.md: logins, TLS, and what stands between."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from noom_project.local.certificate import load_or_create_certificate
from tests.support.clients.http_socket import HttpWire
from tests.support.clients.protocol_client import Refusal
from tests.support.clients.swarm import Swarm
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process, start_cluster
from tests.support.servers.dev_server import ROOT, free_port, listens
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.pgbouncer import PgBouncer
from tests.support.servers.postgres import Postgres
from tests.support.servers.production import as_operated
from tests.support.servers.redis import Redis
from tests.support.waiting import until

PASSWORD = "only-for-this-test"
# As docs/operating.md has it.
NOOM = f"on >{PASSWORD} ~noom:* resetchannels &asgi* &noom:* +@all -@admin -@dangerous"
STOP_S = 10 * PATIENCE

pytestmark = pytest.mark.live


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., list[Process]]]:
    """`start(redis, NAME="value", …)`: two processes, until the test's end."""
    started: list[Process] = []

    def start(redis: Redis, **environment: str) -> list[Process]:
        folder = tmp_path / "noom"
        folder.mkdir()
        started.extend(start_cluster(folder, redis, 2, **environment))
        return started

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[..., Redis]]:
    """`start_redis(*options)`: a Redis of this test's own."""
    started: list[Redis] = []

    def start(*options: str) -> Redis:
        folder = tmp_path / f"redis-{len(started)}"
        folder.mkdir()
        redis = Redis(folder, *options)
        started.append(redis)
        redis.start()
        return redis

    yield start
    for redis in started:
        redis.stop()


async def come_in(wire: Wire, nickname: str) -> None:
    """Enters as a page does: again where the server says that Redis does not answer yet."""
    async with asyncio.timeout(30 * PATIENCE):
        while True:
            try:
                await wire.enter(nickname)
                return
            except Refusal as refusal:
                if refusal.code != "try_later":
                    raise
                await asyncio.sleep(1)


async def meet(one: str, other: str) -> None:
    """Two people at these processes are in one room, also by requests that reach either."""
    async with Wire(one, "/ws/chat/room/") as nova, Wire(other, "/ws/chat/room/") as mira:
        await come_in(nova, "Nova")
        await come_in(mira, "Mira")
        assert {person["nickname"] for person in mira.hello["people"]} == {"Nova", "Mira"}
        await nova.post("across Redis")
        await mira.event("new_message", text="across Redis")
        async with HttpWire(one, "/ws/chat/room/") as third:
            third.http.url = other  # which is not the process that holds the session
            await third.enter("Third")
            await mira.event("welcome")


async def test_redis_with_a_login_and_tls_joins_two_processes(start, start_redis, tmp_path):
    pem = str(load_or_create_certificate(tmp_path / "redis.pem", ["127.0.0.1"]))
    tls_port = free_port()
    redis = await asyncio.to_thread(
        start_redis,
        *("--tls-port", str(tls_port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", pem, "--tls-key-file", pem, "--tls-ca-cert-file", pem),
        *("--user", "noom", *NOOM.split()),
        *["--user", "default", "on", "nopass", "resetkeys", "resetchannels", "-@all", "+ping"],
    )
    url = f"rediss://noom:{PASSWORD}@127.0.0.1:{tls_port}?ssl_ca_certs={pem}"
    one, two = await asyncio.to_thread(start, redis, **as_operated(), REDIS_URL=url)
    await meet(one.url, two.url)
    assert PASSWORD not in one.log + two.log


@pytest.fixture
def start_haproxy(tmp_path: Path) -> Iterator[Callable[[str, int], None]]:
    """`start_haproxy(configuration, port)`: returns when it listens."""
    with ExitStack() as stops:

        def start(configuration: str, port: int) -> None:
            file = tmp_path / "haproxy.cfg"
            file.write_text(configuration)
            process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", str(file)])
            stops.callback(process.wait, STOP_S)
            stops.callback(process.terminate)
            until(lambda: listens(port), "HAProxy to listen")

        yield start


def haproxy_before(port: int, *servers: int) -> str:
    """deploy/haproxy-redis.cfg with these ports."""
    text = (ROOT / "deploy" / "haproxy-redis.cfg").read_text()
    for documented, ours in zip(
        ("127.0.0.1:6380", "10.0.0.21:6379", "10.0.0.22:6379"), (port, *servers), strict=True
    ):
        assert documented in text
        text = text.replace(documented, f"127.0.0.1:{ours}")
    return text


async def test_redis_behind_haproxy_is_found_by_its_role(start, start_redis, start_haproxy):
    master = await asyncio.to_thread(start_redis)
    replica = await asyncio.to_thread(start_redis, "--replicaof", f"127.0.0.1 {master.port}")
    port = free_port()
    await asyncio.to_thread(start_haproxy, haproxy_before(port, replica.port, master.port), port)
    one, two = await asyncio.to_thread(start, master, REDIS_URL=f"redis://127.0.0.1:{port}")
    await meet(one.url, two.url)


@pytest.fixture
def bouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    bouncer = PgBouncer(postgres)
    bouncer.start()
    yield bouncer
    bouncer.stop()


async def test_pgbouncer_shares_connections_and_nothing_is_lost(bouncer, start, start_redis):
    redis = await asyncio.to_thread(start_redis)
    processes = await asyncio.to_thread(start, redis, DATABASE_URL=bouncer.url)
    for process in processes:
        async with Swarm(process.url) as swarm:
            await swarm.enter(["first", "second"], 5)
            async with swarm.talking(10):
                await asyncio.sleep(1)
            verdict = await swarm.judge()
            assert verdict.said
            assert (verdict.lost, verdict.doubled, verdict.disordered) == (0, 0, 0)
    await asyncio.to_thread(read_in_pieces, processes[0])
    assert_no_failure(*(process.log for process in processes))


def read_in_pieces(process: Process) -> None:
    """A command that reads much must hold no cursor between two transactions."""
    script = (
        "from chat.models import Message;"
        "assert len(list(Message.objects.iterator(chunk_size=2))) > 5"
    )
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", script],
        cwd=ROOT,
        env=process.environment,
        check=True,
        timeout=60 * PATIENCE,
    )
