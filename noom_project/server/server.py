"""Daphne's server with bounds, keepalive and a graceful shutdown.

Each override names the behaviour of stock daphne; compatibility.py lists all of their names.
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any

import autobahn.websocket.protocol
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server as DaphneServer
from daphne.server import reactor
from daphne.ws_protocol import WebSocketFactory
from django.db import DatabaseError
from twisted.internet import defer
from twisted.web.http import HTTPChannel, _GenericHTTPChannelProtocol

from chat import runtime
from chat.errors import Unavailable
from chat.protocol import close_codes
from chat.realtime import connection
from chat.storage import database
from noom_project.monitoring import health, processes
from noom_project.security.headers import FINAL_HEADERS
from noom_project.server.http import GuardedChannel, requesting
from noom_project.server.port import Port
from noom_project.server.slow_readers import unsent
from noom_project.server.websocket import GuardedSocket

MAX_BODY_BYTES = 1_000_000  # a larger body gets 413
DRAIN_TIMEOUT_S = 6.0  # then the shutdown cancels the applications that still run
DRAIN_INTERVAL_S = 0.02
# How long the shutdown waits for requests on connections accepted last. A proxy on a busy machine
# takes half a second, and fails its browser if the connection ends before.
LAST_REQUEST_TIMEOUT_S = 2.0
CLEANUP_TIMEOUT_S = 2.0  # for the cleanup after that; Redis may be away too

log = logging.getLogger(__name__)


class GuardedRequest(WebRequest):
    """A request with a bounded body, whose answer waits for its reader."""

    transport: Any
    channel: Any = None  # Twisted deletes the attribute when the answer is complete

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Answers in plain text; stock daphne names itself in a page with styles."""
        headers = {**FINAL_HEADERS, "Content-Type": "text/plain; charset=utf-8"}
        told = status_text + b"\n"
        headers["Content-Length"] = str(len(told))
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        start = {"type": "http.response.start", "status": status, "headers": encoded}
        self.handle_reply(start)
        self.handle_reply({"type": "http.response.body", "body": told})

    def process(self) -> "defer.Deferred[None]":
        """Frees a request that became a WebSocket; stock daphne never does."""
        processing: defer.Deferred[None] = super().process()
        if self.transport is None and self.channel is not None:
            self.channel.becomes_socket()
            self.channel = None
        return processing

    def gotLength(self, length: int | None) -> None:
        """Refuses a large body by its length; stock daphne stores any body."""
        super().gotLength(length)
        if length is not None and length > MAX_BODY_BYTES:
            self._refuse_body()

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > MAX_BODY_BYTES:
            self._refuse_body()
        else:
            super().handleContentChunk(data)

    def handle_exception(self, exception: BaseException) -> None:
        """Aborts the connection of an answer that has begun.

        Stock daphne begins a second answer inside it. That raises, and ends daphne's check of all
        applications. An aborted connection shows the client that the answer is incomplete.
        """
        if not self._response_started:
            super().handle_exception(exception)
        elif getattr(self, "channel", None) is not None:
            self.channel.transport.abortConnection()

    async def until_read(self) -> None:
        """Returns when the reader has read most of the answer so far."""
        channel = getattr(self, "channel", None)  # Twisted deletes it with the end of the answer
        if channel is not None:
            await channel.reader.ready()

    def _refuse_body(self) -> None:
        transport = self.channel.transport
        head = [
            b"HTTP/1.1 413 Content Too Large",
            *(f"{n}: {v}".encode() for n, v in FINAL_HEADERS.items()),
        ]
        transport.write(b"\r\n".join(head) + b"\r\n\r\n")
        transport.loseConnection()


class Server(DaphneServer):
    """Daphne's server, whose shutdown makes every page reconnect elsewhere."""

    connections: dict[Any, dict[str, Any]]  # daphne's, by protocol

    def run(self) -> None:
        WebSocketFactory.protocol = GuardedSocket
        # autobahn formats its configuration for a debug line of each socket, even if the line is
        # not logged: a seventh of the cost of accepting a socket.
        autobahn.websocket.protocol.pformat = repr  # type: ignore[assignment, attr-defined]
        HTTPFactory.protocol = staticmethod(_guarded_channel)
        HTTPFactory.buildProtocol = _guarded_requests
        self._ports: list[Port] = []
        self._finished: set[Any] = set()  # disconnected, or its application has ended
        self.server_name = ""  # answers name no software
        logging.captureWarnings(True)
        reactor.callWhenRunning(self._begin)
        super().run()

    def _begin(self) -> None:
        """Starts the tasks that need a running event loop."""
        self._watch = asyncio.ensure_future(processes.watch())

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Adds two extensions for WebSockets to the scope; stock daphne has none."""
        if isinstance(protocol, GuardedSocket):
            scope["extensions"] = {
                connection.WRITE_FRAME: protocol.write_frame,
                connection.UNSENT_BYTES: lambda: unsent(protocol.transport),
            }
        queue = super().create_application(protocol, scope)
        application = self.connections.get(protocol, {}).get("application_instance")
        if application is not None:
            application.add_done_callback(lambda _: self._finished.add(protocol))
        return queue

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Sends a part of an answer and waits for its reader; stock daphne does not."""
        await super().handle_reply(protocol, message)
        if isinstance(protocol, GuardedRequest):
            await protocol.until_read()

    def protocol_disconnected(self, protocol: Any) -> None:
        super().protocol_disconnected(protocol)
        self._finished.add(protocol)

    def application_checker(self) -> None:
        """Runs daphne's check on the connections that end alone.

        Stock daphne searches all connections for them, once a second and in one go.
        """
        every = self.connections
        ending = {protocol: every[protocol] for protocol in self._finished if protocol in every}
        self.connections = dict(ending)
        super().application_checker()
        for protocol in ending.keys() - self.connections.keys():
            del every[protocol]
        self._finished.intersection_update(self.connections)
        self.connections = every

    def listen_success(self, port: Any) -> None:
        """Keeps the port; stock daphne does not, so it cannot stop listening."""
        super().listen_success(port)
        self._ports.append(Port(port))

    def kill_all_applications(self) -> "defer.Deferred[None]":
        """Stops listening and shuts down gracefully.

        Stock daphne cancels every consumer, without a close frame or a handover of leases.
        """
        for port in self._ports:
            port.stop()
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end()))

    def _is_busy(self, seconds: float) -> bool:
        """Whether anything is still served, `seconds` after the shutdown began."""
        answering = any(
            isinstance(protocol, GuardedRequest) and "disconnected" not in details
            for protocol, details in self.connections.items()
        )
        is_asked = seconds < LAST_REQUEST_TIMEOUT_S and bool(requesting)
        is_open = any(port.is_open for port in self._ports)
        return seconds < DRAIN_TIMEOUT_S and (
            is_open or bool(connection.open_connections) or answering or is_asked
        )

    async def _end(self) -> None:
        """Closes every socket with RESTARTING, then cancels the applications that remain."""
        health.drain()
        return_within_ms = str(connection.reconnect_window_ms())
        began = time.monotonic()
        while self._is_busy(time.monotonic() - began):
            for socket in list(connection.open_connections):
                socket.close(close_codes.RESTARTING, return_within_ms)
            await asyncio.sleep(DRAIN_INTERVAL_S)
        applications = [
            details["application_instance"]
            for details in self.connections.values()
            if "application_instance" in details
        ]
        for application in applications:
            application.cancel()
        try:
            async with asyncio.timeout(CLEANUP_TIMEOUT_S):
                await asyncio.gather(*applications, return_exceptions=True)
                await runtime.shutdown()
                self._watch.cancel()
                with suppress(Unavailable, DatabaseError):
                    await database.probe(processes.end)
        except TimeoutError:
            log.warning(
                "the cleanup of the shutdown took over %g s and was ended", CLEANUP_TIMEOUT_S
            )


def _guarded_channel() -> _GenericHTTPChannelProtocol:
    return _GenericHTTPChannelProtocol(GuardedChannel())


def _guarded_requests(self: HTTPFactory, addr: Any) -> HTTPChannel:
    channel: HTTPChannel = _stock_requests(self, addr)
    channel.requestFactory = GuardedRequest
    return channel


_stock_requests = HTTPFactory.buildProtocol
