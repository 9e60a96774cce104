"""Configurations of calls that cannot work, refused before the server starts."""

from typing import Any

import msgspec
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from call.messages import IceServer

# Long enough for a page to use what it received; short enough for the removed to lose it soon.
TURN_TTL_RANGE_S = (30, 3600)
MAX_MESH = 16  # each participant sends to each other: past that no upload is enough


@register
def turn(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A relay needs its address and the secret that it shares with us."""
    if bool(settings.TURN_URLS) == bool(settings.TURN_SECRET):
        return []
    hint = "Set both TURN_URLS and TURN_SECRET, or neither."
    return [Error("TURN is half configured.", hint=hint, id="noom.E010")]


@register
def turn_ttl(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Credentials that end too soon fail in a page's hands; the relay cannot revoke any."""
    shortest, longest = TURN_TTL_RANGE_S
    if shortest <= settings.TURN_TTL_S <= longest:
        return []
    told = f"TURN_TTL_S is {settings.TURN_TTL_S}; it has to be from {shortest} to {longest}."
    return [Error(told, hint="Leave it away for 45 seconds.", id="noom.E014")]


@register
def ice_servers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A page that gets malformed ICE servers has no call at all."""
    try:
        servers = msgspec.convert(settings.ICE_SERVERS, list[IceServer])
    except msgspec.ValidationError as error:
        return [Error(f"ICE_SERVERS is malformed: {error}", id="noom.E011")]
    urls = [url for server in servers for url in server.urls] + settings.TURN_URLS
    wrong = [url for url in urls if not url.startswith(("stun:", "stuns:", "turn:", "turns:"))]
    return [Error(f"{url} is no STUN or TURN address.", id="noom.E011") for url in wrong]


@register
def relay_only(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Calls that go by the relay alone need one."""
    if not settings.ICE_RELAY_ONLY or settings.TURN_URLS:
        return []
    hint = "Set TURN_URLS and TURN_SECRET, or leave ICE_RELAY_ONLY away."
    return [Error("No call works by the relay alone without one.", hint=hint, id="noom.E013")]


@register
def capacity(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A call is for two at least, and a mesh has its bounds."""
    if 2 <= settings.CALL_CAPACITY <= MAX_MESH:
        return []
    return [Error(f"CALL_CAPACITY has to be from 2 to {MAX_MESH}.", id="noom.E012")]
