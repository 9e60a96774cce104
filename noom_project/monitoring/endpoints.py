"""/healthz, /readyz and /metrics, answered before Django.

Load balancers and monitors know none of its hosts. Its redirects, threads and limits are not for
them.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

from django.conf import settings
from django.http.request import split_domain_port
from prometheus_client import CONTENT_TYPE_LATEST

from noom_project.monitoring import health, metrics

Scope = Mapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]


# Any of these headers shows that a proxy forwards the request of somebody else.
FORWARDED = (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip")
TEXT = "text/plain; charset=utf-8"


class Response(NamedTuple):
    status: int
    content_type: str
    body: bytes
    header: tuple[str, str] | None = None


async def alive(scope: Scope) -> Response:
    """Answers 200 while the process runs; it queries nothing else."""
    return Response(200, TEXT, b"alive\n")


async def ready(scope: Scope) -> Response:
    """Answers 200 while the process can serve people (docs/operating.md), else 503."""
    is_ready, told = await health.report()
    return Response(200 if is_ready else 503, "application/json", json.dumps(told).encode() + b"\n")


async def prometheus(scope: Scope) -> Response:
    """Answers Prometheus: with METRICS_TOKEN, or without one on this machine alone."""
    if settings.METRICS_TOKEN:
        if _has_bearer_token(scope, settings.METRICS_TOKEN):
            return Response(200, CONTENT_TYPE_LATEST, await metrics.text())
        return Response(401, TEXT, b"METRICS_TOKEN only\n", ("WWW-Authenticate", "Bearer"))
    if _is_local(scope):
        return Response(200, CONTENT_TYPE_LATEST, await metrics.text())
    return Response(403, TEXT, b"this machine only\n")


ENDPOINTS: dict[str, Callable[[Scope], Awaitable[Response]]] = {
    "/healthz": alive,
    "/readyz": ready,
    "/metrics": prometheus,
}


class MonitoringEndpoints:
    """An ASGI application that answers ANSWERS itself and passes all else on."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        answer = ENDPOINTS.get(scope["path"])
        if answer is None:
            await self._application(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await _send(scope, send, await answer(scope))
        else:
            await _send(scope, send, Response(405, TEXT, b"GET only\n", ("Allow", "GET, HEAD")))


async def _send(scope: Scope, send: Any, answer: Response) -> None:
    headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
    headers |= [answer.header] if answer.header else []
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})


def _has_bearer_token(scope: Scope, token: str) -> bool:
    told = [value for name, value in scope["headers"] if name == b"authorization"]
    return len(told) == 1 and hmac.compare_digest(told[0], b"Bearer " + token.encode())


def _is_local(scope: Scope) -> bool:
    """Whether a program of this machine asks for itself.

    A proxy on this machine comes from here too, with the requests of strangers.
    """
    peer = (scope.get("client") or ("",))[0]
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    name, _ = split_domain_port(host)
    return (
        _is_loopback(peer)
        and (name == "localhost" or _is_loopback(name.strip("[]")))
        and not any(name in FORWARDED for name, _ in scope["headers"])
    )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
