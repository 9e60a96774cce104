"""Conditions for a server's start, and the report of it to systemd."""

import os
import socket
from ipaddress import ip_address

from django.conf import settings
from django.core.management.base import CommandError
from redis.exceptions import RedisError

from chat.realtime import redis_client
from noom_project.config import secret_masking

ANSWER_S = 2.0


def require_redis() -> None:
    """Raises CommandError if REDIS_URL names a Redis that does not answer."""
    for url in settings.REDIS_URLS:
        try:
            timeouts = {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
            with redis_client.blocking_client(url, **timeouts) as redis:
                redis.ping()
        except (RedisError, OSError, ValueError) as error:
            place = redis_client.shown(url)  # the rest may hold a password
            raise CommandError(f"REDIS_URL: no Redis answers at {place} ({error}).") from error


def require_privacy(host: str) -> None:
    """Raises CommandError if others could see the internals that DEBUG shows.

    So a process with DEBUG listens on this machine alone and has no secrets of an operator.
    """
    if not settings.DEBUG:
        return
    reasons = [] if _is_loopback(host) else [f"it would listen at {host}"]
    reasons += [
        f"{name} is set"
        for name in ("TRUSTED_PROXIES", "CSRF_TRUSTED_ORIGINS", "SECURE_SSL_REDIRECT")
        if getattr(settings, name)
    ]
    if not set(settings.ALLOWED_HOSTS) <= set(settings.OWN_HOSTS):
        reasons.append("ALLOWED_HOSTS is set")
    for name, urls in (
        ("DATABASE_URL", [settings.DATABASE_URL]),
        ("REDIS_URL", settings.REDIS_URLS),
    ):
        if any(secret_masking.without_passwords(url) != url for url in urls):
            reasons.append(f"{name} holds a password")
    if reasons:
        raise CommandError(
            f"DEBUG is on, and {', '.join(reasons)}. Set DEBUG to 0 to serve others; with DEBUG"
            " serve listens on this machine alone, without proxies and passwords."
        )


def hide_debug_pages(host: str) -> None:
    """Turns DEBUG off if other machines can reach the server, to hide its internals."""
    if not _is_loopback(host):
        settings.DEBUG = False


def _is_loopback(host: str) -> bool:
    if host in ("localhost", "::1", "[::1]"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def tell_systemd(state: str) -> None:
    """Reports a state to the systemd that started the process (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            # @ stands for the zero byte that begins an abstract address.
            notify.sendto(state.encode(), address.replace("@", "\0", 1))
