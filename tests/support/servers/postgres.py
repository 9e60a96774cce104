"""A real PostgreSQL: a cluster of its own in a folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import free_port

LIBRARY = Path("/usr/lib/postgresql")
STOP_S = 20


class Postgres:
    """One PostgreSQL server with an empty database, at `url`; `inside` begins a command where its
    host is an address."""

    def __init__(self, host: str = "127.0.0.1", inside: Sequence[str] = ()) -> None:
        self.port = free_port()
        self.url = f"postgres://noom@{host}:{self.port}/postgres"
        self._host, self._inside = host, inside
        self._folder = Path(tempfile.mkdtemp(prefix="noom-postgres-"))
        # PostgreSQL refuses to run as root.
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self._folder, "postgres")

    def start(self) -> None:
        """Returns when it answers."""
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-U", "noom", "--auth=trust", "--no-sync")
        if self._inside:
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        self._launch()

    def move(self, host: str, inside: Sequence[str]) -> None:
        """Kill the server, and start it with its data at this host.

        The host may be its own host, or another one.
        """
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", str(self._folder / "data"))
        self._host, self._inside = host, inside
        self._launch()

    def _launch(self) -> None:
        data = str(self._folder / "data")
        options = f"-c port={self.port} -c listen_addresses={self._host} -k {self._folder}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "-w", "-D", data, "-o", options, "-l", log)

    @property
    def pid(self) -> int:
        """Of the process that makes all others."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def freeze(self) -> None:
        """Stops all its processes where they are."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    @contextmanager
    def asking_for_passwords(self) -> Iterator[None]:
        """Meanwhile each client needs the password of the role."""
        rules = self._folder / "data" / "pg_hba.conf"
        before = rules.read_text()
        for text in ("host all all 127.0.0.1/32 scram-sha-256\n", before):
            rules.write_text(text)
            self._run("pg_ctl", "reload", "-D", str(self._folder / "data"))
            if text != before:
                yield

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", str(self._folder / "data"))
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        # The first before the others, so that it makes no new ones meanwhile.
        for pid in (self.pid, *map(int, children)):
            os.kill(pid, number)

    def _run(self, program: str, *arguments: str) -> None:
        found = sorted(LIBRARY.glob(f"*/bin/{program}")) or [Path(program)]
        subprocess.run(
            [*self._inside, *self._as, str(found[-1]), *arguments],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=60 * PATIENCE,
        )
