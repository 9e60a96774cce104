"""A site that a test may break: Redis and two server processes behind a balancer."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process, start_cluster
from tests.support.servers.dev_server import ROOT, free_port, listens
from tests.support.servers.redis import Redis
from tests.support.waiting import until

STOP_S = 5 * PATIENCE


class TwoProcessSite:
    """Redis and two `manage.py serve` at `url`.

    They run with the settings of a fresh install and the given ones.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.redis = Redis(folder)
        self.processes: list[Process] = []
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._environment = environment
        self._stops = ExitStack()
        self._balancer: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when everything answers; stop everything if one part does not."""
        with ExitStack() as stops:
            stops.callback(self.redis.stop)
            self.redis.start()
            self.processes = start_cluster(self._folder, self.redis, 2, **self._environment)
            for process in self.processes:
                stops.callback(process.stop)
            stops.callback(self.cut)
            self.mend()
            self._stops = stops.pop_all()

    def stop(self) -> None:
        """Undo `start`, in any state of the parts."""
        self._stops.close()

    def cut(self) -> None:
        """End every connection, and refuse new ones."""
        if self._balancer is not None:
            self._balancer.kill()
            self._balancer.wait(STOP_S)
            self._balancer = None

    def mend(self) -> None:
        """Undo `cut`."""
        self._balancer = start_balancer(self.port, [process.port for process in self.processes])


def start_balancer(port: int, targets: list[int]) -> "subprocess.Popen[bytes]":
    """Start a balancer from this port to those in a process; return when it listens."""
    ports = [str(number) for number in (port, *targets)]
    balancer = subprocess.Popen(
        [sys.executable, "-m", "tests.support.servers.load_balancer", *ports], cwd=ROOT
    )
    until(lambda: listens(port), "the balancer")
    return balancer
