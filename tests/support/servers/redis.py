"""A real Redis: a process of its own, without files."""

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import free_port
from tests.support.waiting import until

COMMAND = ["redis-server", "--bind", "127.0.0.1", "--appendonly", "no", "--save"]
START_S = 10
STOP_S = 10 * PATIENCE


class Redis:
    """One redis-server, at `url`; a restart empties it.

    `options` are redis-server's own.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self._options = options
        self.url = f"redis://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process, "Redis was not started"
        return self._process.pid

    def start(self) -> None:
        """Return when it answers; do nothing if it runs."""
        if self._process:
            return
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(*COMMAND, "", "--port", str(self.port), "--dir", str(self._folder)),
                    *self._options,
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            until(self._answers, "Redis' first answer", seconds=START_S)
        except BaseException:
            self.kill()
            raise

    def forget(self) -> None:
        """Delete all keys."""
        self._ask(b"FLUSHALL\r\n")

    def freeze(self) -> None:
        """Stop the process as a machine does that swaps."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait(STOP_S)
            self._process = None

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(STOP_S)
            self._process = None

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self._ask(b"PING\r\n").startswith(b"+PONG")
        return False

    def _ask(self, command: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(command)
            return connection.recv(65_536)
