"""The way to the database from asyncio: threads of our own; a slow query stalls no socket."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, reset_queries

READERS = 4  # threads, each with a connection of its own
TIDY_EVERY_S = 1.0

P = ParamSpec("P")
T = TypeVar("T")

_pools = {
    "read": ThreadPoolExecutor(READERS, thread_name_prefix="database"),
    "write": ThreadPoolExecutor(1, thread_name_prefix="journal"),
    "probe": ThreadPoolExecutor(1, thread_name_prefix="probe"),
}
_thread = threading.local()
under_way = dict.fromkeys(_pools, 0)  # tasks that wait or run


async def read(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a function that asks the database (or makes a small, rare change)."""
    return await _in_thread("read", function, *args, **kwargs)


async def write(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same on the one thread of the journal, where writes queue without holding up reads."""
    return await _in_thread("write", function, *args, **kwargs)


async def probe(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same on a thread that nobody else waits for: whether the database answers at all."""
    return await _in_thread("probe", function, *args, **kwargs)


def _tidy() -> None:
    """Lets go of a connection that is old or broken; asked once in a while, for it is a question
    to the database more, and a broken one shows itself by an error. And of the queries that Django
    notes with DEBUG, which it forgets by itself only when a page is asked for in this thread."""
    now = time.monotonic()
    if now - getattr(_thread, "tidied_at", 0.0) > TIDY_EVERY_S:
        _thread.tidied_at = now
        close_old_connections()
        reset_queries()


async def _in_thread(pool: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    def run() -> T:
        _tidy()
        try:
            return function(*args, **kwargs)
        except Exception:
            close_old_connections()
            raise

    under_way[pool] += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pools[pool], run)
    finally:
        under_way[pool] -= 1
