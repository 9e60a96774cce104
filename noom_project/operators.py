"""What load balancers and monitors ask, answered before Django: they know none of its hosts, and
no redirect, thread or limit of its is meant for them."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from noom_project import health

Application = Callable[[Any, Any, Any], Awaitable[None]]

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


class Answer(NamedTuple):
    status: int
    kind: str
    body: bytes


async def alive() -> Answer:
    """This process answers; nothing else is asked."""
    return Answer(200, "text/plain; charset=utf-8", b"alive\n")


async def ready() -> Answer:
    """Whether people can be sent here (docs/operating.md)."""
    is_ready, told = await health.report()
    return Answer(200 if is_ready else 503, "application/json", json.dumps(told).encode() + b"\n")


ANSWERS: dict[str, Callable[[], Awaitable[Answer]]] = {"/healthz": alive, "/readyz": ready}


class Operators:
    """An ASGI application that answers these addresses itself and hands on all others."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        answer = ANSWERS.get(scope["path"])
        if answer is None:
            await self._application(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await _send(scope, send, await answer())
        else:
            await _send(scope, send, Answer(405, "text/plain; charset=utf-8", b"GET only\n"))


async def _send(scope: Mapping[str, Any], send: Any, answer: Answer) -> None:
    headers = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body)), **HEADERS}
    if answer.status == 405:
        headers["Allow"] = "GET, HEAD"
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})
