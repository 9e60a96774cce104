"""System checks that refuse settings of calls which cannot work."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def turn(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require TURN_URLS and TURN_SECRET together.

    A relay needs its address and the secret that it shares with Noom.
    """
    if bool(settings.TURN_URLS) == bool(settings.TURN_SECRET):
        return []
    hint = "Set both TURN_URLS and TURN_SECRET, or neither."
    return [Error("TURN is half configured.", hint=hint, id="noom.E010")]


@register
def relay_only(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Require a relay for calls that use the relay alone."""
    if not settings.ICE_RELAY_ONLY or settings.TURN_URLS:
        return []
    hint = "Set TURN_URLS and TURN_SECRET, or leave ICE_RELAY_ONLY away."
    return [Error("No call works by the relay alone without one.", hint=hint, id="noom.E013")]
