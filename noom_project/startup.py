"""A server's start: what has to be in reach for it, and who is told that it is done."""

import os
import socket

from django.conf import settings
from django.core.management.base import CommandError
from redis.exceptions import RedisError

from chat import redis_link

ANSWER_S = 2.0


def require_redis() -> None:
    """Raises CommandError if REDIS_URL names a Redis that does not answer."""
    for url in settings.REDIS_URLS:
        try:
            timeouts = {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
            with redis_link.blocking_client(url, **timeouts) as redis:
                redis.ping()
        except (RedisError, OSError, ValueError) as error:
            place = redis_link.shown(url)  # the rest may hold a password
            raise CommandError(f"REDIS_URL: no Redis answers at {place} ({error}).") from error


def tell_systemd(state: str) -> None:
    """Says how far we are (sd_notify(3)) to the systemd that has started us, if one has."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            # @ stands for the byte that begins an address without a file.
            notify.sendto(state.encode(), address.replace("@", "\0", 1))
