"""A real Noom: a process of its own, with a database of its own."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tests.live.waiting import until

ROOT = Path(__file__).resolve().parents[2]
START_S = 30
STOP_S = 15


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Noom:
    """One server process, at `url`; what it printed is in `log`."""

    command: tuple[str, ...] = ("runserver", "--noreload")

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

    def start(self) -> None:
        """Returns when it answers."""
        self._run("migrate", "--verbosity", "0").wait(START_S)
        self._process = self._run(*self.command, str(self.port))
        until(self._answers, "Noom's first answer", seconds=START_S)

    def stop(self) -> None:
        """As an operator does, by SIGTERM."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            finally:
                self.kill()

    def kill(self) -> None:
        """As a crash does, by SIGKILL."""
        if self._process:
            self._process.kill()
            self._process.wait(STOP_S)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def _run(self, *arguments: str) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
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
            with urlopen(self.url, timeout=5):
                return True
        except HTTPError:
            return True  # an answer all the same; a test will say what it thinks of it
        except (URLError, OSError):
            return False
