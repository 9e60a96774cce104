"""A real PgBouncer with deploy/pgbouncer.ini, in front of a test's PostgreSQL."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT, free_port, listens
from tests.support.servers.postgres import Postgres
from tests.support.waiting import until

START_S, STOP_S = 15, 10 * PATIENCE
POOL = 2  # fewer connections than one process of Noom keeps, so that all of them are shared


class PgBouncer:
    """One PgBouncer; `url` leads through it to the database of `postgres`."""

    def __init__(self, postgres: Postgres) -> None:
        self.port = free_port()
        self.url = f"postgres://noom@127.0.0.1:{self.port}/noom"
        self._postgres = postgres
        self._folder = Path(tempfile.mkdtemp(prefix="noom-pgbouncer-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        file = self._folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self) -> None:
        """Return when it listens."""
        text = (ROOT / "deploy" / "pgbouncer.ini").read_text()
        for pattern, ours in (
            (r"port=5432 dbname=noom", f"port={self._postgres.port} dbname=postgres"),
            (r"listen_port = 6432", f"listen_port = {self.port}"),
            (r"auth_type = scram-sha-256", "auth_type = trust"),
            (r"/etc/pgbouncer/userlist.txt", str(self._folder / "users")),
            (r"default_pool_size = 20", f"default_pool_size = {POOL}"),
        ):
            text, count = re.subn(pattern, ours, text)
            assert count == 1, f"{pattern!r} is not in deploy/pgbouncer.ini"
        (self._folder / "users").write_text('"noom" ""\n')
        (self._folder / "pgbouncer.ini").write_text(text)
        # PgBouncer refuses to run as root.
        account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if account:
            shutil.chown(self._folder, "postgres")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*account, "/usr/sbin/pgbouncer", str(self._folder / "pgbouncer.ini")],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._answers, "PgBouncer to listen", seconds=START_S)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(STOP_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process, "PgBouncer was not started"
        assert self._process.poll() is None, self.log
        return listens(self.port)
