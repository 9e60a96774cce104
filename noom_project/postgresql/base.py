"""A connection to PostgreSQL with a deadline for every wait.

A host that dies, or a proxy that forgets a connection, closes nothing. psycopg and its thread would
then wait for ever. The kernel notices a silent host (`tcp_user_timeout`), but not a silent proxy in
front of it, which acknowledges every packet.
"""

from types import SimpleNamespace
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

from noom_project.postgresql.patience import Patience

INTERVAL_S = 0.1  # psycopg's own: how often a wait checks signals and its deadline

T = TypeVar("T")


class PatientConnection(psycopg.Connection[Any]):
    """Every wait for the server has the deadline of `Patience`."""

    def wait(self, gen: PQGen[T], interval: float = INTERVAL_S, timeout: float | None = None) -> T:
        """Waits for the server, up to the deadline.

        Raises OperationalError at the deadline, and closes the connection. A late answer to this
        statement would otherwise be taken for the answer to the next one.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        wait_s = Patience.wait_s()
        try:
            return super().wait(gen, interval, wait_s)
        except _WaitTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"PostgreSQL sent no answer for {wait_s:g} s; the connection was closed."
            ) from error


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend, with PatientConnection."""

    Database: Any = SimpleNamespace(**{**vars(psycopg), "connect": PatientConnection.connect})

    def init_connection_state(self) -> None:
        """Makes the server cancel a statement too, whose result nobody waits for."""
        super().init_connection_state()
        if Patience.answer_s is not None:
            with self.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {int(Patience.answer_s * 1000)}")
