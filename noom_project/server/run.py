"""Noom's server as the commands open it: what it is made with stands here alone."""

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
from noom_project.server.http import FINISHED_WITHIN_S
from noom_project.server.server import Server
from noom_project.server.startup import require_redis

# Objects until the youngest are looked through, and how often the next ones are with them. Python's
# own numbers suit programs that live for a second: a thousand people coming in meant thirty rounds.
COLLECT_AFTER = (10_000, 5, 5)


def serve(served: Any, endpoint: str, *, ready: Callable[[], None]) -> NoReturn:
    """Serves an ASGI application at an endpoint (a Twisted endpoint description) until SIGTERM.

    `ready` is called once it listens. Raises CommandError if it cannot, and if Redis is away.
    Otherwise it ends the process: Python would wait for the threads of a database that is frozen.
    """
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
    _settle()
    server.run()
    if server.abort_start:
        raise CommandError("The address is in use, or not ours: choose another.")
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _settle() -> None:
    """Leaves what is loaded by now out of all rounds of the garbage collector: to look through it
    takes up to a fifth of a second, in which nobody is served."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
