"""Which pages may open our sockets: our own, and those of the origins that are configured."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

Application = Callable[[Mapping[str, Any], Any, Any], Awaitable[None]]


class OwnOrigin:
    """Refuses a WebSocket, or what stands in for it, whose Origin is not exactly ours: scheme,
    host and port.

    Channels' own validator compares hosts alone, so that a page on another port or on plain http
    passes. No Origin at all is refused too: every browser sends one, and others can.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if allowed(scope):
            await self.application(scope, receive, send)
        else:
            await refuse(scope, receive, send)


async def refuse(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
    """Answers with 403."""
    if scope["type"] == "http":
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body"})
    else:
        await receive()
        await send({"type": "websocket.close"})


def allowed(scope: Mapping[str, Any]) -> bool:
    """Whether the Origin of a handshake is our own or a configured one."""
    headers: dict[bytes, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name, []).append(value.decode("latin-1"))
    origins, hosts = headers.get(b"origin", []), headers.get(b"host", [])
    if len(origins) != 1 or len(hosts) != 1:
        return False
    origin, host = origins[0].lower(), hosts[0].lower()
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    name, _ = split_domain_port(host)
    if not validate_host(name, settings.ALLOWED_HOSTS):
        return False
    return origin == f"{_scheme(scope, headers)}://{host}"


def _scheme(scope: Mapping[str, Any], headers: Mapping[bytes, list[str]]) -> str:
    """The scheme that the browser used: a proxy of ours tells it, else the connection does."""
    if settings.TRUSTED_PROXIES:
        told = headers.get(b"x-forwarded-proto", [""])
        return "https" if told == ["https"] else "http"
    return "https" if scope.get("scheme") in ("wss", "https") else "http"
