"""The measured servers.

Noom as in operation, and Socket.IO as in its documentation.
"""

import contextlib
import functools
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import django

from tests.support.node import node
from tests.support.servers.cluster import Process, start_cluster
from tests.support.servers.dev_server import ROOT, free_port
from tests.support.servers.postgres import Postgres
from tests.support.servers.redis import Redis
from tests.support.waiting import until

PEERS = ROOT / "bench" / "peers"
SECRET_KEY = "only-for-a-benchmark-on-this-machine-" + "x" * 32
SERVER_CORE, OTHER_CORE = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
# The guards are on; only the limits of one person are off, because a benchmark exceeds them.
NOOM = {
    "DEBUG": "0",
    "SECRET_KEY": SECRET_KEY,
    "ALLOWED_HOSTS": "127.0.0.1",
    "LOG_LEVEL": "WARNING",
    "ROOM_CAPACITY": "10000",
    "MESSAGES_PER_S": "1000000",
    "MESSAGES_PER_ADDRESS_PER_S": "1000000",
    "MESSAGES_PER_ROOM_PER_S": "1000000",
    "MB_PER_ADDRESS_PER_DAY": "1000000",
    "MB_PER_ROOM_PER_DAY": "1000000",
    "ROOMS_PER_ADDRESS_PER_DAY": "1000000",
}


def set_up_django(**environment: str) -> None:
    """Let this process sign tokens that a server with SECRET_KEY accepts."""
    os.environ |= {"SECRET_KEY": SECRET_KEY, **environment}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "noom_project.settings")
    django.setup()


@dataclass
class Running:
    """A server of one or more processes; `redis` joins several."""

    dialect: str
    ports: list[int]
    pids: list[int]
    processes: list[Process]
    redis: Redis | None = None


@contextlib.contextmanager
def noom(processes: int = 1, *, joined: bool = False) -> Iterator[Running]:
    """Run `manage.py serve`: embedded on SQLite, or joined by Redis on PostgreSQL."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        redis = None
        if joined:
            redis, environment = _redis(stack, folder), {**NOOM, "DATABASE_URL": _postgres(stack)}
            running = start_cluster(folder, redis, processes, **environment)
        else:
            running = [Process(folder, **NOOM)]
            running[0].start()
        for process in running:
            stack.callback(process.stop)
            pin(process.pid, SERVER_CORE)
        ports, pids = [p.port for p in running], [p.pid for p in running]
        yield Running("noom", ports, pids, running, redis)


@contextlib.contextmanager
def socketio(processes: int = 1, *, joined: bool = False) -> Iterator[Running]:
    """Run Socket.IO on Node.js, WebSocket only; its Redis adapter joins processes."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        redis = _redis(stack, folder) if joined else None
        ports, pids = [free_port() for _ in range(processes)], []
        for port in ports:
            command = [node(), "socketio.js", str(port), *([redis.url] if redis else [])]
            process = subprocess.Popen(command, cwd=PEERS)
            stack.callback(_end, process)
            until(functools.partial(_listens, port), "Socket.IO")
            pin(process.pid, SERVER_CORE)
            pids.append(process.pid)
        yield Running("socketio", ports, pids, [], redis)


def pin(pid: int, core: int) -> None:
    """Keep a process, with all its threads, on one core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(int(thread), {core})


def _redis(stack: contextlib.ExitStack, folder: Path) -> Redis:
    redis = Redis(folder)
    redis.start()
    stack.callback(redis.stop)
    pin(redis.pid, OTHER_CORE)
    return redis


def _postgres(stack: contextlib.ExitStack) -> str:
    postgres = Postgres()
    postgres.start()
    stack.callback(postgres.stop)
    pin(postgres.pid, OTHER_CORE)  # and with it its process for each connection
    return postgres.url


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(10)
