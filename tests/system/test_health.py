"""`/healthz` and `/readyz` of real processes: while Redis is frozen, and while one drains."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from socket import create_connection
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers import source_trees
from tests.support.servers.cluster import Process, start_cluster
from tests.support.servers.dev_server import ROOT
from tests.support.servers.production import as_operated
from tests.support.servers.redis import Redis
from tests.support.waiting import until

SOON_S = 3


@pytest.fixture
def process(tmp_path, redis: Redis) -> Iterator[Process]:
    redis.forget()
    [process] = start_cluster(tmp_path, redis, 1)
    yield process
    process.stop()


def ready(process: Process) -> tuple[int, dict[str, str]]:
    """The status, and the state of each check."""
    try:
        answer = urlopen(f"{process.url}/readyz", timeout=SOON_S * PATIENCE)
    except HTTPError as error:
        answer = error
    with answer:
        checks = json.load(answer)["checks"]
    return answer.status, {name: check["state"] for name, check in checks.items()}


def test_process_is_not_ready_while_redis_is_frozen_and_soon_after_is(process, redis):
    until(lambda: ready(process)[0] == 200, "being ready")
    redis.freeze()
    try:
        late = dict.fromkeys(("database", "schema", "files", "neighbours", "loop"), "ok")
        late |= {"redis": "late", "layer": "late"}
        until(lambda: ready(process) == (503, late), "noticing it", seconds=SOON_S)
        with urlopen(f"{process.url}/healthz", timeout=SOON_S * PATIENCE) as answer:
            assert answer.read() == b"alive\n"
    finally:
        redis.thaw()
    until(lambda: ready(process)[0] == 200, "being ready again", seconds=SOON_S)


def test_process_is_ready_again_soon_after_redis_returns(process, redis):
    until(lambda: ready(process)[0] == 200, "being ready")
    redis.kill()
    until(lambda: ready(process)[0] == 503, "noticing it", seconds=SOON_S)
    redis.start()
    until(lambda: ready(process)[0] == 200, "being ready again", seconds=SOON_S)


async def drain(process: Process) -> int:
    """The last answer of a process that receives SIGTERM, on a connection that it has."""

    def ask(balancer: HTTPConnection) -> int:
        balancer.request("GET", "/readyz")
        with balancer.getresponse() as answer:
            answer.read()
            return answer.status

    status = 0
    with closing(HTTPConnection("127.0.0.1", process.port, timeout=SOON_S * PATIENCE)) as balancer:
        assert ask(balancer) == 200
        async with Wire(process.url, "/ws/lobby/") as socket:
            process.signal(signal.SIGTERM)
            # Nothing here gives way to the loop that would answer the close: the process waits.
            with suppress(ConnectionError):
                while (status := ask(balancer)) != 503:
                    pass
            with pytest.raises(ConnectionRefusedError):
                create_connection(("127.0.0.1", process.port), PATIENCE)
            assert await socket.closing() == 4412
    assert process.wait(10) == 0
    process.start()
    return status


async def test_draining_process_says_so_on_open_connections(process):
    # It waits for a second: a slower test finds it gone, and asks the next time.
    assert 503 in [await drain(process) for _ in range(3)]


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Process]]:
    """`start(name, root=…, SETTING=…)`: a process without Redis, with a folder of its own."""
    with ExitStack() as stops:

        def start(name: str, root: Path = ROOT, **environment: str) -> Process:
            (tmp_path / name).mkdir()
            process = Process(tmp_path / name, **environment)
            process.root = root
            stops.callback(process.stop)
            process.start()
            return process

        yield start


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_process_on_a_full_disk_is_not_ready(start, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
    try:
        process = start("full", DATABASE_URL=f"sqlite:///{disk / 'noom.sqlite3'}")
        until(lambda: ready(process)[0] == 200, "being ready")
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4_096)
        until(lambda: ready(process)[1]["database"] == "failed", "noticing it")
        (disk / "filler").unlink()
        until(lambda: ready(process)[0] == 200, "being ready again")
        process.stop()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_process_is_ready_once_its_database_is_migrated(start, tmp_path):
    (tmp_path / "empty.sqlite3").touch()
    process = start("unmigrated", DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    status, states = ready(process)
    assert (status, states["database"], states["schema"]) == (503, "failed", "failed")
    assert process._run("migrate", "--verbosity", "0").wait(60) == 0
    until(lambda: ready(process)[0] == 200, "being ready")


def test_process_without_gathered_files_is_not_ready(start, tmp_path):
    process = start("bare", source_trees.copy(tmp_path / "tree"), **as_operated())
    status, states = ready(process)
    assert (status, states.pop("files")) == (503, "failed")
    assert set(states.values()) == {"ok"}
    assert "run manage.py collectstatic" in process.log


def test_two_processes_without_redis_notice_each_other(start, tmp_path):
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'shared.sqlite3'}"}
    elder = start("elder", **database)
    younger = start("younger", **database)
    until(lambda: ready(younger)[1]["neighbours"] == "failed", "the younger one standing back")
    until(lambda: "share a database, but not a Redis" in elder.log, "a word in the elder's log")
    assert ready(elder)[0] == 200
    assert "share a database, but not a Redis" in younger.log
    elder.stop()
    until(lambda: ready(younger)[0] == 200, "the younger one taking over")
