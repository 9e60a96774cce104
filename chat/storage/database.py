"""The way to the database from asyncio: threads of our own; a slow query stalls no socket."""

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
HISTORIANS = 2
TIDY_EVERY_S = 1.0
KEEP_S = 600  # a connection, which costs more to open than most questions

P = ParamSpec("P")
T = TypeVar("T")

_pools = {
    "read": ThreadPoolExecutor(READERS, thread_name_prefix="database"),
    "history": ThreadPoolExecutor(HISTORIANS, thread_name_prefix="history"),
    "write": ThreadPoolExecutor(1, thread_name_prefix="journal"),
    "probe": ThreadPoolExecutor(1, thread_name_prefix="probe"),
}
_thread = threading.local()
under_way = dict.fromkeys(_pools, 0)  # tasks that wait or run


class _Lost:
    """When a thread last lost the server. The connections of the others are doubtful since: to
    find each of them dead would take its thread the whole patience once more."""

    at = 0.0


async def read(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a function that asks the database (or makes a small, rare change).

    Raises Unavailable if the server cannot be reached, or does not answer in time.
    """
    return await _in_thread("read", function, *args, **kwargs)


async def history(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for long answers, on threads for which nobody waits who enters."""
    return await _in_thread("history", function, *args, **kwargs)


async def write(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same on the one thread of the journal, where writes queue without holding up reads."""
    return await _in_thread("write", function, *args, **kwargs)


async def delete(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for a piece of a long deletion.

    PostgreSQL locks one room for it, so messages of others do not queue behind it. SQLite locks
    everything: on the journal's thread both take turns, elsewhere the journal would poll the lock.
    """
    pool = "history" if connection.vendor == "postgresql" else "write"
    return await _in_thread(pool, function, *args, **kwargs)


async def probe(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same on a thread that nobody else waits for: whether the database answers at all."""
    return await _in_thread("probe", function, *args, **kwargs)


def _tidy() -> None:
    """Lets go of a connection that is old or broken; asked once in a while, for it is a question
    to the database more, and a broken one shows itself by an error. And of the queries that Django
    notes with DEBUG, which it forgets by itself only when a page is asked for in this thread."""
    now, tidied_at = time.monotonic(), getattr(_thread, "tidied_at", 0.0)
    if not tidied_at:
        # Kept here alone: a page's thread ends with its request, and nobody closes what it kept.
        connection.settings_dict = {**connection.settings_dict, "CONN_MAX_AGE": KEEP_S}
    if tidied_at <= _Lost.at:
        for each in connections.all(initialized_only=True):
            each.close()
    if now - tidied_at > TIDY_EVERY_S or tidied_at <= _Lost.at:
        _thread.tidied_at = now
        close_old_connections()
        reset_queries()


def _is_lost() -> bool:
    """Whether this thread has no connection to the server any more, or could make none."""
    driver: Any = connection.connection
    return driver is None or bool(driver.closed)


async def _in_thread(pool: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    def run() -> T:
        _tidy()
        try:
            return function(*args, **kwargs)
        except (InterfaceError, OperationalError) as error:
            if connection.vendor != "postgresql":
                raise
            if _is_lost():
                _Lost.at = time.monotonic()
            raise Unavailable(f"the database does not answer ({error})") from error
        finally:
            if connection.errors_occurred:
                close_old_connections()

    under_way[pool] += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pools[pool], run)
    finally:
        under_way[pool] -= 1
