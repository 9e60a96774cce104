"""System checks of the settings for proxies."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security)
def redirect(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a redirect to https that never ends.

    Without a trusted proxy each request looks like plain http.
    """
    if settings.DEBUG or settings.TRUSTED_PROXIES or not settings.SECURE_SSL_REDIRECT:
        return []
    told = "SECURE_SSL_REDIRECT is on and TRUSTED_PROXIES is 0: every page redirects to itself."
    hint = (
        "Set TRUSTED_PROXIES to the number of proxies before Noom, the nearest of which sets"
        " X-Forwarded-Proto; or set SECURE_SSL_REDIRECT to 0."
    )
    return [Error(told, hint=hint, id="noom.E030")]


@register(Tags.security, deploy=True)
def proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn that pages work on this machine alone.

    Without DEBUG, browsers send cookies over https only, which needs a proxy.
    """
    if settings.DEBUG or settings.TRUSTED_PROXIES:
        return []
    told = "DEBUG is off and TRUSTED_PROXIES is 0: pages work on this machine alone."
    hint = "Put a proxy with https in front (docs/operating.md), and set TRUSTED_PROXIES to 1."
    return [Warning(told, hint=hint, id="noom.W030")]
