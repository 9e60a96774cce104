"""Database calls from asyncio, on threads of their own, so that a slow query stalls no socket."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
    reset_queries,
)

from chat.errors import Unavailable

READERS = 4  # threads, each with a connection of its own
HISTORIANS = 2  # threads for long answers; entering does not wait for them
RECYCLE_INTERVAL_S = 1.0  # checking connections costs a query, so not before each call
# A connection is reopened after this time; opening costs more than most queries.
MAX_CONNECTION_AGE_S = 600

P = ParamSpec("P")
T = TypeVar("T")

_pools = {
    "read": ThreadPoolExecutor(READERS, thread_name_prefix="database"),
    "history": ThreadPoolExecutor(HISTORIANS, thread_name_prefix="history"),
    "write": ThreadPoolExecutor(1, thread_name_prefix="journal"),
    "probe": ThreadPoolExecutor(1, thread_name_prefix="probe"),
}
_thread = threading.local()
in_flight = dict.fromkeys(_pools, 0)  # calls of each pool that wait or run


class _LastLoss:
    """The moment at which a thread last lost the server.

    Connections of other threads are reopened after it. Each of them would otherwise wait for the
    whole deadline to find its connection dead.
    """

    at = 0.0


async def query(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that queries the database, or makes a small and rare change.

    Raises Unavailable if the server is unreachable or does not answer in time.
    """
    return await _in_thread("read", function, *args, **kwargs)


async def long_query(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a query with a long answer, on threads that entering does not wait for.

    Raises Unavailable as `read` does.
    """
    return await _in_thread("history", function, *args, **kwargs)


async def write_in_order(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a write on the journal's single thread, where writes queue and reads do not wait.

    Raises Unavailable as `read` does.
    """
    return await _in_thread("write", function, *args, **kwargs)


async def delete(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a piece of a long deletion.

    PostgreSQL locks one room, so messages of other rooms do not queue behind it. SQLite locks
    the whole database. On the journal's thread both take turns; on another thread the journal
    would poll the lock. Raises Unavailable as `read` does.
    """
    pool = "history" if connection.vendor == "postgresql" else "write"
    return await _in_thread(pool, function, *args, **kwargs)


async def probe(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a probe on a thread of its own, to learn whether the database answers at all.

    Raises Unavailable as `read` does.
    """
    return await _in_thread("probe", function, *args, **kwargs)


def _recycle_connection() -> None:
    """Close expired connections and clear Django's query log.

    Runs at most once a second a thread, because the check costs a query. A broken connection
    shows itself by an error. With DEBUG, Django clears its query log only when a page is served
    in the same thread.
    """
    now, tidied_at = time.monotonic(), getattr(_thread, "tidied_at", 0.0)
    if not tidied_at:
        # Only for this thread: a page's thread ends with its request, and would leave a kept
        # connection open.
        connection.settings_dict = {
            **connection.settings_dict,
            "CONN_MAX_AGE": MAX_CONNECTION_AGE_S,
        }
    if tidied_at <= _LastLoss.at:
        for each in connections.all(initialized_only=True):
            each.close()
    if now - tidied_at > RECYCLE_INTERVAL_S or tidied_at <= _LastLoss.at:
        _thread.tidied_at = now
        close_old_connections()
        reset_queries()


def _is_lost() -> bool:
    """Whether this thread has no open connection to the server."""
    driver: Any = connection.connection
    return driver is None or bool(driver.closed)


async def _in_thread(pool: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    def run() -> T:
        _recycle_connection()
        try:
            return function(*args, **kwargs)
        except (InterfaceError, OperationalError) as error:
            if connection.vendor != "postgresql":
                raise
            if _is_lost():
                _LastLoss.at = time.monotonic()
            raise Unavailable(f"the database does not answer ({error})") from error
        finally:
            if connection.errors_occurred:
                close_old_connections()

    in_flight[pool] += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pools[pool], run)
    finally:
        in_flight[pool] -= 1
