"""Headers of every answer, of Django, of WhiteNoise or of the server itself."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django_permissions_policy import PermissionsPolicyMiddleware

Application = Callable[[Any, Any, Any], Awaitable[None]]

# Defaults: nothing may run, be framed, be read by another site, or be cached.
DEFAULT_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PermissionsPolicyMiddleware.compute_header_value(
        dict(settings.PERMISSIONS_POLICY), name="PERMISSIONS_POLICY"
    ),
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": settings.X_FRAME_OPTIONS,
}
# For an answer without a body, on a connection that closes after it.
FINAL_HEADERS = {**DEFAULT_HEADERS, "Content-Length": "0", "Connection": "close"}

_ENCODED = [(name.lower().encode(), value.encode()) for name, value in DEFAULT_HEADERS.items()]


class SafeHeaders:
    """Middleware that adds missing headers to each answer of an application."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        async def send_safely(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                has = {name.lower() for name, _ in headers}
                headers += [header for header in _ENCODED if header[0] not in has]
                message = {**message, "headers": headers}
            await send(message)

        await self._application(scope, receive, send_safely)
