"""A real coturn, started as in operation.

Deploy/relay.sh with deploy/turnserver.conf.
"""

import os
import secrets
import socket
import subprocess
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT, free_port
from tests.support.waiting import until

RELAY = ROOT / "deploy" / "relay.sh"
START_S = 10
STOP_S = 5 * PATIENCE


class Coturn:
    """One relay at `host:port`.

    `options` are coturn's own, after those of the configuration.
    """

    def __init__(self, folder: Path, *options: str, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, free_port()
        self.secret = secrets.token_urlsafe(32)
        self.url = f"turn:{host}:{self.port}"
        self._folder = folder
        self._log = folder / "coturn.log"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def command_line(self) -> str:
        """Return the command line, which every user of this machine can read."""
        assert self._process, "coturn was not started"
        return Path(f"/proc/{self._process.pid}/cmdline").read_text()

    def start(self) -> None:
        """Return when it accepts connections."""
        own = [f"--listening-ip={self.host}", f"--listening-port={self.port}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(RELAY), *own, *self._options],
                cwd=self._folder,
                env={**os.environ, "TURN_SECRET": self.secret, "TMPDIR": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._listens, "coturn to listen", seconds=START_S)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_S)
            self._process = None

    def _listens(self) -> bool:
        assert self._process, "coturn was not started"
        code = self._process.poll()
        assert code is None, f"coturn ended with {code}:\n{self.log}"
        try:
            with socket.create_connection((self.host, self.port), timeout=PATIENCE):
                return True
        except OSError:
            return False
