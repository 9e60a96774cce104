"""A real Redis master with a replica, and three real Sentinels that watch them."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

from redis import Redis as Connection
from redis.exceptions import RedisError

from tests.support.servers.dev_server import free_port
from tests.support.servers.redis import Redis
from tests.support.waiting import until

SERVICE = "noom-master"
DOWN_AFTER_MS = 2_000
STOP_S = 5
CONFIGURATION = """
bind 127.0.0.1
port {port}
dir {folder}
sentinel monitor {service} 127.0.0.1 {master} 2
sentinel down-after-milliseconds {service} {down}
sentinel failover-timeout {service} 10000
"""


class Sentinels:
    """Three Sentinels at `url`, which promote the replica when the master is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = [free_port() for _ in range(3)]
        (folder / "master").mkdir()
        (folder / "replica").mkdir()
        self.master = Redis(folder / "master")
        self.replica = Redis(folder / "replica", "--replicaof", f"127.0.0.1 {self.master.port}")
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        self.url = f"redis+sentinel://{hosts}/{SERVICE}/0"
        self._stops = ExitStack()

    def start(self) -> None:
        """Return when each Sentinel knows the two other Sentinels and the replica."""
        for redis in (self.master, self.replica):
            redis.start()
            self._stops.callback(redis.kill)  # only a kill ends a frozen process
        for port in self._ports:
            self._start_sentinel(port)
        until(self._all_known, "the Sentinels to know each other", seconds=30)

    def stop(self) -> None:
        """Undo `start`."""
        self._stops.close()

    def master_port(self) -> int:
        """Return the port of the master, according to the first Sentinel."""
        return int(self._state(self._ports[0]).get("port", 0))

    def _start_sentinel(self, port: int) -> None:
        own = self._folder / str(port)
        own.mkdir()
        file = own / "sentinel.conf"
        file.write_text(
            CONFIGURATION.format(
                port=port,
                folder=own,
                service=SERVICE,
                master=self.master.port,
                down=DOWN_AFTER_MS,
            )
        )
        with (own / "log").open("ab") as log:
            process = subprocess.Popen(
                ["redis-server", str(file), "--sentinel"], stdout=log, stderr=subprocess.STDOUT
            )
        self._stops.callback(process.wait, STOP_S)
        self._stops.callback(process.terminate)

    def _all_known(self) -> bool:
        states = [self._state(port) for port in self._ports]
        return all(
            state.get("num-slaves") == 1 and state.get("num-other-sentinels") == 2
            for state in states
        )

    def _state(self, port: int) -> dict[str, int]:
        try:
            with Connection(port=port, socket_timeout=2) as sentinel:
                masters: dict[str, dict[str, int]] = sentinel.sentinel_masters()
                return masters.get(SERVICE, {})
        except RedisError:
            return {}
