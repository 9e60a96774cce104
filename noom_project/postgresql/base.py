"""A connection to PostgreSQL that gives up on a server which does not answer.

A host that dies, or a proxy that forgets a connection, closes nothing: psycopg would wait for ever,
and the thread with it. The kernel notices a silent host by itself (`tcp_user_timeout`), but not a
silent proxy in front of it, which acknowledges every packet.
"""

from types import SimpleNamespace
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

from noom_project.postgresql.patience import Patience

INTERVAL_S = 0.1  # psycopg's own: how often a wait looks at signals and at its deadline

T = TypeVar("T")


class PatientConnection(psycopg.Connection[Any]):
    """Every wait for the server has the deadline of `Patience`."""

    def wait(self, gen: PQGen[T], interval: float = INTERVAL_S, timeout: float | None = None) -> T:
        """Raises OperationalError at the deadline; the connection is closed then, for the answer
        to this statement may still come, and would pass for the next one's."""
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
    """Django's, with the connections of this module."""

    Database: Any = SimpleNamespace(**{**vars(psycopg), "connect": PatientConnection.connect})

    def init_connection_state(self) -> None:
        """Lets the server give a statement up as well: it would go on for nobody."""
        super().init_connection_state()
        if Patience.answer_s is not None:
            with self.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {int(Patience.answer_s * 1000)}")
