"""Several real processes of `manage.py serve` that share a Redis and a database."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import Noom
from tests.support.servers.redis import Redis


class Process(Noom):
    """One process of `manage.py serve`."""

    command: tuple[str, ...] = ("serve", "-p")

    def freeze(self) -> None:
        """Stop the process as a machine does that swaps."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        assert self._process, "Noom was not started"
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Return the exit code of a process that ends by itself.

        `seconds` on an idle machine.
        """
        assert self._process, "Noom was not started"
        return self._process.wait(seconds * PATIENCE)


@contextmanager
def cluster_of(folder: Path, redis: Redis, **environment: str) -> Iterator[list[Process]]:
    """Start two such processes.

    Before they stop, it starts a Redis again that a test has ended.
    """
    processes = start_cluster(folder, redis, 2, **environment)
    yield processes
    redis.start()
    for process in processes:
        process.stop()


def started(processes: list[Process], redis: Redis) -> list[Process]:
    """Return these processes, after it has started those that the last test ended."""
    redis.start()
    for process in processes:
        process.start()
    return processes


def start_cluster(folder: Path, redis: Redis, count: int, **environment: str) -> list[Process]:
    """Start `count` processes, each at an address of its own; the caller stops them.

    If one process does not start, all are stopped.
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
