"""What a test may break: a Redis and two server processes of its own, behind a balancer."""

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


class Site:
    """Redis and two `manage.py serve` at `url`, with the settings of a fresh install and these."""

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
        """Returns when everything answers; leaves nothing if something does not."""
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
        """Undoes `start`, whatever was done to its parts."""
        self._stops.close()

    def cut(self) -> None:
        """Ends every line, and lets nobody open another."""
        if self._balancer is not None:
            self._balancer.kill()
            self._balancer.wait(STOP_S)
            self._balancer = None

    def mend(self) -> None:
        """Undoes `cut`."""
        self._balancer = start_balancer(self.port, [process.port for process in self.processes])


def start_balancer(port: int, targets: list[int]) -> "subprocess.Popen[bytes]":
    """A balancer from this port to those, in a process of its own, when it listens."""
    ports = [str(number) for number in (port, *targets)]
    balancer = subprocess.Popen(
        [sys.executable, "-m", "tests.support.servers.load_balancer", *ports], cwd=ROOT
    )
    until(lambda: listens(port), "the balancer")
    return balancer
