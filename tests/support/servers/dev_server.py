"""A real Noom: a process of its own, with a database of its own."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tests.support.patience import PATIENCE
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[3]
PORTS = range(10_000, 32_768)  # below the ports that Linux gives to outgoing connections
START_S = 30
STOP_S = 15


def free_port() -> int:
    """Return a port that was free a moment ago.

    It is outside the range of outgoing connections, and a concurrent test hardly gets it.
    """
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def listens(port: int) -> bool:
    """Return whether a server accepts connections at this address."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@cache
def _empty_database() -> bytes:
    """Return an empty database after `manage.py migrate`.

    The migration runs once; every server gets a copy.
    """
    with tempfile.TemporaryDirectory(prefix="noom-database-") as folder:
        path = Path(folder, "noom.sqlite3")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{path}"},
            check=True,
            timeout=START_S * PATIENCE,
        )
        return path.read_bytes()


class Noom:
    """One server process, at `url`; `log` has its output."""

    command: tuple[str, ...] = ("runserver", "--noreload")
    root = ROOT  # the tree that it runs

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "noom.log"
        self.environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": f"sqlite:///{folder / 'noom.sqlite3'}",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process, "Noom was not started"
        return self._process.pid

    def start(self) -> None:
        """Return when it answers; do nothing if it runs."""
        self.launch()
        try:
            until(self._answers, "Noom's first answer", seconds=START_S)
        except BaseException:  # a process that did not start would have no owner
            self.kill()
            raise

    def launch(self) -> None:
        """Start the process without waiting."""
        if self._process and self._process.poll() is None:
            return
        self._make_database()
        self._process = self._run(*self.command, str(self.port))

    def _make_database(self) -> None:
        kind, _, path = self.environment["DATABASE_URL"].partition("///")
        if kind != "sqlite:":
            assert self._run("migrate", "--verbosity", "0").wait(START_S * PATIENCE) == 0, self.log
        elif not Path(path).exists():
            Path(path).write_bytes(_empty_database())

    def stop(self) -> None:
        """Stop the process by SIGTERM, as an operator does."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(STOP_S * PATIENCE)
            finally:
                self.kill()

    def kill(self) -> None:
        """Kill the process by SIGKILL, as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait(STOP_S * PATIENCE)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def _run(self, *arguments: str) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _answers(self) -> bool:
        assert self._process, "Noom was not started"
        code = self._process.poll()
        assert code is None, f"Noom ended with {code}:\n{self.log}"
        try:
            with urlopen(self.url, timeout=5 * PATIENCE):
                return True
        except HTTPError:
            return True  # an error is an answer, too; a test judges it
        except (URLError, OSError):
            return False
