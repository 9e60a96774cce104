"""ASGI application of the sockets over HTTP (docs/protocol.md)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chat.errors import Unavailable
from chat.http_transport import registry
from chat.http_transport import requests as wire
from chat.http_transport.remote import Request
from chat.http_transport.session import Application, Batch, SessionGone

# A proxy that buffers or compresses answers would delay events.
HEADERS = [
    (b"cache-control", b"no-store, no-transform"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]
DISCONNECTED = "http.disconnect"

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class HttpTransport:
    """Serves the consumers of `sockets` to pages that get no WebSocket.

    Any process can answer a request for any session (registry.py). No request occupies a thread.
    """

    def __init__(self, sockets: Application) -> None:
        self.sockets = sockets

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, receive, send)
        except _TooLarge:
            await _respond(send, 413)
        except wire.BadRequest:
            await _respond(send, 400)
        except SessionGone:
            await _respond(send, 410)
        except Unavailable:
            await _respond(send, 503)

    async def _answer(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _respond(send, 405)
            return
        head, frames = wire.decode(await _body(receive))
        path = scope["path"].replace("/http/", "/ws/", 1)
        sessions = registry.current()
        if isinstance(head, wire.Open):
            session = await sessions.open(_socket_scope(scope, path), self.sockets)
            if session is None:
                await _respond(send, 404)
                return
            first = wire.Listen(session=session, turn=0, after=0, stream=head.stream)
            request = Request(path, first, [])
            await _start(send, wire.opened(session), more=head.stream)
            if head.stream:
                await _while_connected(receive, _send_rest(request, Batch(), send))
            return
        request = Request(path, head, frames)
        if isinstance(head, wire.Listen):
            await _while_connected(receive, _send_events(request, send, head.stream))
        else:
            await sessions.serve(request)
            await _respond(send, 204)


async def _send_events(request: Request, send: Send, stream: bool) -> None:
    """Answer with events, as a stream or with those that are there."""
    batch = await registry.current().serve(request)
    more = stream and not batch.is_last
    await _start(send, batch.events, more=more)
    if more:
        await _send_rest(request, batch, send)


async def _send_rest(request: Request, batch: Batch, send: Send) -> None:
    """Send the rest of a stream; the page requests it again if it breaks off."""
    sessions = registry.current()
    while not batch.is_last:
        request.since = batch.last
        try:
            batch = await sessions.serve(request)
        except (SessionGone, Unavailable):
            break
        await _write(send, batch.events, more=True)
    await _write(send, b"", more=False)


async def _while_connected(receive: Receive, answer: Awaitable[None]) -> None:
    """Answer until the client disconnects."""
    tasks = [asyncio.ensure_future(answer), asyncio.ensure_future(_disconnected(receive))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        answered, _ = await asyncio.gather(*tasks, return_exceptions=True)
    if isinstance(answered, Exception):
        raise answered


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != DISCONNECTED:
        pass


async def _body(receive: Receive) -> bytes:
    """Read the whole body. Raises _TooLarge, or BadRequest if the client leaves."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == DISCONNECTED:
            raise wire.BadRequest
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > wire.MAX_BODY_BYTES:
            raise _TooLarge
    return body


def _socket_scope(scope: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The scope that the handshake of a WebSocket would have."""
    secure = scope.get("scheme") in ("https", "wss")
    kept = ("asgi", "client", "headers", "root_path", "server")
    return {
        **{name: scope[name] for name in kept if name in scope},
        "type": "websocket",
        "scheme": "wss" if secure else "ws",
        "path": path,
        "query_string": scope.get("query_string", b""),
        "subprotocols": [],
        "noom.transport": "http",
    }


async def _respond(send: Send, status: int) -> None:
    headers = [*HEADERS, (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await _write(send, b"", more=False)


async def _start(send: Send, events: bytes, *, more: bool) -> None:
    headers = [*HEADERS, (b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await _write(send, events, more=more)


async def _write(send: Send, events: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": events, "more_body": more})


class _TooLarge(Exception):
    """A body over MAX_BODY_BYTES."""
