"""A real PostgreSQL with a synchronous standby, which takes over on promotion."""

import shutil
import signal

import psycopg

from tests.support.servers.postgres import Postgres
from tests.support.waiting import until

START_S = 60


class _Node(Postgres):
    """One of the two servers."""

    is_killed = False

    def follow(self, primary: "Postgres") -> None:
        """Start as a standby that has copied the primary."""
        data = str(self._folder / "data")
        source = f"host=127.0.0.1 port={primary.port} user=noom"
        self._run("pg_basebackup", "-d", source, "-D", data, "-R", "-X", "stream", "-c", "fast")
        options = f"-c port={self.port} -c listen_addresses=127.0.0.1 -k {self._folder}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "-w", "-D", data, "-o", options, "-l", log)

    def promote(self) -> None:
        """Return when it accepts writes."""
        self._run("pg_ctl", "promote", "-w", "-D", str(self._folder / "data"))

    def kill(self) -> None:
        """Kill the server, as a loss of power does."""
        self._signal(signal.SIGKILL)
        self.is_killed = True

    def stop(self) -> None:
        if self.is_killed:
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            super().stop()

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Return the rows of a statement."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


class Replicated:
    """Two servers; `url` names both, as docs/operating.md says."""

    def __init__(self) -> None:
        self.primary, self.standby = _Node(), _Node()
        hosts = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        self.url = f"postgres://noom@{hosts}/postgres?target_session_attrs=read-write"

    def start(self) -> None:
        """Return when each commit waits for both."""
        self.primary.start()
        self.standby.follow(self.primary)
        self.primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.execute("SELECT pg_reload_conf()")
        state = "SELECT sync_state FROM pg_stat_replication"
        until(lambda: self.primary.execute(state) == [("sync",)], "the standby", seconds=START_S)

    def promote(self) -> None:
        """Promote the standby to the primary."""
        self.standby.promote()

    def stop(self) -> None:
        for node in (self.standby, self.primary):
            node.stop()
