"""Several real processes of `manage.py serve` that share a Redis and a database."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import Noom
from tests.support.servers.redis import Redis


class Process(Noom):
    """One `manage.py serve`."""

    command: tuple[str, ...] = ("serve", "-p")

    def freeze(self) -> None:
        """As a machine does that swaps."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        assert self._process, "Noom was not started"
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Its exit code, when it has ended by itself; `seconds` on an idle machine."""
        assert self._process, "Noom was not started"
        return self._process.wait(seconds * PATIENCE)


@contextmanager
def cluster_of(folder: Path, redis: Redis, **environment: str) -> Iterator[list[Process]]:
    """Two such processes; the Redis that a test has ended is started again before they stop."""
    processes = start_cluster(folder, redis, 2, **environment)
    yield processes
    redis.start()
    for process in processes:
        process.stop()


def started(processes: list[Process], redis: Redis) -> list[Process]:
    """These, after whatever the last test has ended was started."""
    redis.start()
    for process in processes:
        process.start()
    return processes


def start_cluster(folder: Path, redis: Redis, count: int, **environment: str) -> list[Process]:
    """`count` processes, each answering at an address of its own; who starts them stops them.

    If one does not start, none is left.
    """
    shared = {
        "REDIS_URL": redis.url,
        "PROCESSES": str(count),
        "DATABASE_URL": f"sqlite:///{folder / 'noom.sqlite3'}",
        **environment,
    }
    processes = []
    for number in range(count):
        own = folder / str(number)
        own.mkdir()
        processes.append(Process(own, **shared))
    with ExitStack() as stops:
        for process in processes:
            stops.callback(process.stop)
            process.launch()
        for process in processes:
            process.start()
        stops.pop_all()
    return processes
