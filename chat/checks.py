"""Configurations that cannot work, refused before the server starts."""

from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from chat import redis_link

LOOPBACK = ("localhost", "127.0.0.1", "::1")
MIN_KEY_CHARS = 32  # characters
OLDEST_DAPHNE = (4, 2, 2)
MIN_TOKEN_CHARS = 32


@register(Tags.security)
def secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Tokens are worth what the key is worth."""
    if len(settings.SECRET_KEY) >= MIN_KEY_CHARS or settings.DEBUG:
        return []
    hint = (
        f"Set SECRET_KEY in the environment to a random text of {MIN_KEY_CHARS} characters or more."
    )
    found = "no" if settings.SECRET_KEY == settings.NO_SECRET_KEY else "only a short"
    return [Error(f"DEBUG is off and there is {found} SECRET_KEY.", hint=hint, id="noom.E001")]


@register(Tags.security)
def allowed_hosts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A server that answers to any name can be reached through anybody's name."""
    if settings.DEBUG or (settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS):
        return []
    hint = "Set ALLOWED_HOSTS to the names of this server, joined by commas."
    return [
        Error("DEBUG is off and ALLOWED_HOSTS is empty or any host.", hint=hint, id="noom.E002")
    ]


@register
def processes(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Rooms of several processes meet in Redis."""
    if settings.PROCESSES == 1 or settings.REDIS_URLS:
        return []
    hint = "Set REDIS_URL, or PROCESSES to 1."
    return [Error("Several processes need Redis to share rooms.", hint=hint, id="noom.E003")]


@register(Tags.security)
def redis(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whoever can write to Redis speaks for the server."""
    hint = "Give it a password (redis://:PASSWORD@…), or keep it on this machine."
    return [
        Error("A Redis elsewhere has no password.", hint=hint, id="noom.E006")
        for url in settings.REDIS_URLS
        if not _is_guarded(url)
    ]


def _is_guarded(url: str) -> bool:
    if all(host in LOOPBACK for host, _ in redis_link.hosts(url)):
        return True
    if (master := redis_link.watched(url)) is not None:
        return bool(master.of_master.get("password"))
    where = urlsplit(url)
    return bool(where.password) or "password=" in where.query


@register(Tags.security)
def daphne(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Before 4.2.2 it believed forged headers and could be made to run out of memory."""
    found = version("daphne")
    if tuple(int(part) for part in found.split(".")[:3] if part.isdigit()) >= OLDEST_DAPHNE:
        return []
    hint = "Install what requirements.txt names."
    return [Error(f"daphne {found} has known holes.", hint=hint, id="noom.E007")]


@register
def leases(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A lease that is renewed too late runs out under people who are there."""
    if 0 < settings.RENEW_S * 2 <= settings.LEASE_S:
        return []
    hint = "Keep LEASE_S at least twice RENEW_S."
    return [Error("Leases run out before they are renewed.", hint=hint, id="noom.E004")]


@register
def positive(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Capacities, rates and times are more than nothing."""
    names = (
        "PROCESSES",
        "DATABASE_TIMEOUT_S",
        "ROOM_CAPACITY",
        "RETENTION_DAYS",
        "TOKEN_MAX_AGE_S",
        "GRACE_S",
        "GOODBYE_GRACE_S",
        "MESSAGES_PER_S",
        "SIGNALS_PER_S",
        "JOINS_PER_S",
        "SOCKETS_PER_ADDRESS",
    )
    return [
        Error(f"{name} has to be more than 0.", id="noom.E005")
        for name in names
        if getattr(settings, name) <= 0
    ]


@register(Tags.security)
def metrics_token(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Anybody may guess at it, as often as they like."""
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= MIN_TOKEN_CHARS:
        return []
    hint = "Make one: openssl rand -hex 24."
    return [Error("METRICS_TOKEN is too short to be a secret.", hint=hint, id="noom.E020")]


@register
def log_format(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A log in a form that nobody has asked for is read by nobody."""
    if settings.LOG_FORMAT in ("json", "text"):
        return []
    return [Error("LOG_FORMAT is neither json nor text.", id="noom.E021")]


@register(Tags.security)
def rates(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Lifted rates are for benchmarks."""
    if settings.RATE_LIMITS or settings.DEBUG:
        return []
    hint = "Unset RATE_LIMITS."
    return [Warning("The rate limits are lifted.", hint=hint, id="noom.W001")]
