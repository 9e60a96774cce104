"""System checks that refuse settings which cannot work."""

from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from chat.realtime import redis_client

LOOPBACK = ("localhost", "127.0.0.1", "::1")
MIN_KEY_CHARS = 32  # shorter keys are refused
OLDEST_DAPHNE = (4, 2, 2)


@register(Tags.security)
def secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require a long SECRET_KEY, because its finder can forge tokens."""
    if len(settings.SECRET_KEY) >= MIN_KEY_CHARS or settings.DEBUG:
        return []
    hint = (
        f"Set SECRET_KEY in the environment to a random text of {MIN_KEY_CHARS} characters or more."
    )
    found = "no" if settings.SECRET_KEY == settings.NO_SECRET_KEY else "only a short"
    return [Error(f"DEBUG is off and there is {found} SECRET_KEY.", hint=hint, id="noom.E001")]


@register
def former_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require long former keys, because they still verify signatures."""
    shortest = min(map(len, settings.SECRET_KEY_FALLBACKS), default=MIN_KEY_CHARS)
    if shortest >= MIN_KEY_CHARS or settings.DEBUG:
        return []
    told = f"SECRET_KEY_FALLBACKS has a key of {shortest} characters, the least is {MIN_KEY_CHARS}."
    hint = "Take the short key out; what it signed is refused then."
    return [Error(told, hint=hint, id="noom.E005")]


@register(Tags.security)
def allowed_hosts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require host names in ALLOWED_HOSTS.

    A server that answers to any name can be reached through a stranger's domain.
    """
    if settings.DEBUG or (settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS):
        return []
    hint = "Set ALLOWED_HOSTS to the names of this server, joined by commas."
    return [
        Error("DEBUG is off and ALLOWED_HOSTS is empty or any host.", hint=hint, id="noom.E002")
    ]


@register
def processes(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require Redis for several processes, which share rooms through it."""
    if settings.PROCESSES == 1 or settings.REDIS_URLS:
        return []
    hint = "Set REDIS_URL, or PROCESSES to 1."
    return [Error("Several processes need Redis to share rooms.", hint=hint, id="noom.E003")]


@register(Tags.security)
def redis(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require a password for a Redis on another machine.

    A program that can write to Redis can send any event to any page.
    """
    hint = "Give it a password (redis://:PASSWORD@…), or keep it on this machine."
    return [
        Error("A Redis elsewhere has no password.", hint=hint, id="noom.E006")
        for url in settings.REDIS_URLS
        if not _is_guarded(url)
    ]


def _is_guarded(url: str) -> bool:
    if all(host in LOOPBACK for host, _ in redis_client.hosts(url)):
        return True
    if (master := redis_client.watched(url)) is not None:
        return bool(master.of_master.get("password"))
    where = urlsplit(url)
    return bool(where.password) or "password=" in where.query


@register(Tags.security)
def daphne(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require daphne 4.2.2 or newer.

    Older releases believe forged headers, and a client can make them run out of memory.
    """
    found = version("daphne")
    if tuple(int(part) for part in found.split(".")[:3] if part.isdigit()) >= OLDEST_DAPHNE:
        return []
    hint = "Install what requirements.txt names."
    return [Error(f"daphne {found} has known holes.", hint=hint, id="noom.E007")]


@register
def leases(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require a lease of at least two renewal intervals.

    A lease that is renewed too late runs out while its member is still there.
    """
    interval, lease = settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S
    if interval * 2 <= lease:
        return []
    hint = "Keep PRESENCE_LEASE_S at least twice HEARTBEAT_INTERVAL_S."
    values = f"PRESENCE_LEASE_S is {lease:g} and HEARTBEAT_INTERVAL_S is {interval:g}"
    return [Error(f"{values}: leases run out before they renew.", hint=hint, id="noom.E004")]


@register
def graces(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require grace periods in rising order.

    A member whose page said goodbye leaves sooner than one whose connection was lost.
    """
    names = ("RELOAD_GRACE_S", "RECONNECT_GRACE_S", "PRESENCE_LEASE_S")
    values = [getattr(settings, name) for name in names]
    if values == sorted(values):
        return []
    hint = f"Keep {names[0]} at most {names[1]}, and {names[1]} at most {names[2]}."
    shown = ", ".join(f"{name} {value:g}" for name, value in zip(names, values, strict=True))
    return [Error(f"{shown}: a later one ends sooner.", hint=hint, id="noom.E008")]


@register
def tokens(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require tokens that outlive the grace.

    A page needs its token to come back after a lost connection.
    """
    if settings.TOKEN_MAX_AGE_S > settings.RECONNECT_GRACE_S:
        return []
    hint = "Keep TOKEN_MAX_AGE_S above RECONNECT_GRACE_S."
    told = f"{settings.TOKEN_MAX_AGE_S} and {settings.RECONNECT_GRACE_S:g}"
    return [
        Error(
            f"TOKEN_MAX_AGE_S and RECONNECT_GRACE_S are {told}: nobody could come back.",
            hint=hint,
            id="noom.E009",
        )
    ]


@register(Tags.security)
def rates(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn of lifted rate limits, which are for benchmarks."""
    if settings.RATE_LIMITS or settings.DEBUG:
        return []
    hint = "Unset RATE_LIMITS."
    return [Warning("The rate limits are lifted.", hint=hint, id="noom.W001")]
