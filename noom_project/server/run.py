"""Starts the server process for `serve`, `runserver` and `run_https`."""

import gc
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import CommandError

from noom_project.assets import shared_files
from noom_project.postgresql.patience import Patience
from noom_project.server import compatibility
from noom_project.server.http import FINISHED_WITHIN_S
from noom_project.server.server import Server
from noom_project.server.startup import require_redis

# Thresholds of the garbage collector: allocations per collection of the youngest objects, and such
# collections per collection of older ones. With Python's own a thousand joins took thirty rounds.
GC_THRESHOLDS = (10_000, 5, 5)


def run_server(served: Any, endpoint: str, *, ready: Callable[[], None]) -> NoReturn:
    """Serves an ASGI application until SIGTERM, at an endpoint in Twisted's words.

    It calls `ready` once it listens, and ends the process itself: Python would wait for threads
    that a frozen database holds.

    Raises CommandError: it cannot listen, or Redis does not answer.
    """
    compatibility.check()
    require_redis()
    Patience.limit()
    shared_files.publish_at_start()
    server = Server(
        served,
        endpoints=[endpoint],
        websocket_handshake_timeout=FINISHED_WITHIN_S,
        websocket_timeout=settings.SOCKET_LIFETIME_S,
        websocket_max_message_size=settings.DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE,
        websocket_max_frame_size=settings.DAPHNE_WEBSOCKET_MAX_FRAME_SIZE,
        ready_callable=ready,
    )
    _tune_garbage_collector()
    server.run()
    if server.abort_start:
        raise CommandError(f"Cannot listen at {endpoint}: it is in use or not permitted.")
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _tune_garbage_collector() -> None:
    """Excludes all loaded objects from garbage collection.

    A collection of them takes up to a fifth of a second, in which nobody is served.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
