"""Configurations of calls that cannot work, refused before the server starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def turn(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A relay needs its address and the secret that it shares with us."""
    if bool(settings.TURN_URLS) == bool(settings.TURN_SECRET):
        return []
    hint = "Set both TURN_URLS and TURN_SECRET, or neither."
    return [Error("TURN is half configured.", hint=hint, id="noom.E010")]


@register
def relay_only(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Calls that go by the relay alone need one."""
    if not settings.ICE_RELAY_ONLY or settings.TURN_URLS:
        return []
    hint = "Set TURN_URLS and TURN_SECRET, or leave ICE_RELAY_ONLY away."
    return [Error("No call works by the relay alone without one.", hint=hint, id="noom.E013")]
