"""Daphne's server with its gaps closed: floods, slow readers, large bodies, and a quiet end.

Each override names what stock daphne does. `self_test` fails when a release of daphne, autobahn or
Twisted has moved what is overridden here.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import autobahn.websocket.protocol
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server as DaphneServer
from daphne.server import reactor
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.db import DatabaseError
from twisted.internet import defer, tcp
from twisted.web.http import HTTPChannel, Request, _GenericHTTPChannelProtocol

from chat import runtime
from chat.errors import Unavailable
from chat.protocol import close_codes
from chat.realtime import connection
from chat.storage import database
from noom_project.monitoring import health, processes
from noom_project.security.headers import LAST
from noom_project.server.http import GuardedChannel, requesting
from noom_project.server.websocket import GuardedSocket

MAX_BODY_BYTES = 1_000_000
LISTEN_QUEUE = 4_096  # who may wait to be accepted; the kernel's own limit may be lower
ACCEPTED_IN_A_ROUND = 2  # of the loop
DRAIN_S = 6.0
DRAIN_STEP_S = 0.02
# For the request on a connection that was let in last: a proxy on a busy machine takes half a
# second, and answers its browser with a failure when the connection ends before it.
LAST_REQUEST_S = 2.0
LAST_WORDS_S = 2.0  # for what is left then; Redis may be gone too

log = logging.getLogger(__name__)


class GuardedRequest(WebRequest):
    """A request whose body has a bound, and whose answer goes as fast as it is read."""

    transport: Any
    channel: Any = None  # Twisted deletes its own when the answer is complete

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Stock daphne names itself, in a page whose style our policy forbids."""
        headers = {**LAST, "Content-Type": "text/plain; charset=utf-8"}
        told = status_text + b"\n"
        headers["Content-Length"] = str(len(told))
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        start = {"type": "http.response.start", "status": status, "headers": encoded}
        self.handle_reply(start)
        self.handle_reply({"type": "http.response.body", "body": told})

    def process(self) -> "defer.Deferred[None]":
        """Stock daphne leaves what became a WebSocket to the garbage collector."""
        processing: defer.Deferred[None] = super().process()
        if self.transport is None and self.channel is not None:
            self.channel.becomes_socket()
            self.channel = None
        return processing

    def gotLength(self, length: int | None) -> None:
        """Stock daphne stores a body of any length before anyone looks at it."""
        super().gotLength(length)
        if length is not None and length > MAX_BODY_BYTES:
            self._refuse_body()

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > MAX_BODY_BYTES:
            self._refuse_body()
        else:
            super().handleContentChunk(data)

    def handle_exception(self, exception: BaseException) -> None:
        """Stock daphne begins another answer inside one that has begun, which raises, and ends its
        look at all applications. A connection that breaks off says that the answer is not whole."""
        if not self._response_started:
            super().handle_exception(exception)
        elif getattr(self, "channel", None) is not None:
            self.channel.transport.abortConnection()

    async def until_read(self) -> None:
        """Returns when the reader has taken most of what it was sent."""
        channel = getattr(self, "channel", None)  # Twisted deletes it at the end of the answer
        if channel is not None:
            await channel.reader.ready()

    def _refuse_body(self) -> None:
        transport = self.channel.transport
        head = [b"HTTP/1.1 413 Content Too Large", *(f"{n}: {v}".encode() for n, v in LAST.items())]
        transport.write(b"\r\n".join(head) + b"\r\n\r\n")
        transport.loseConnection()


class Server(DaphneServer):
    """Daphne's server, guarded, and ended by telling every page to come back."""

    connections: dict[Any, dict[str, Any]]  # daphne's, by protocol

    def run(self) -> None:
        self_test()
        WebSocketFactory.protocol = GuardedSocket
        # For a debug line that nobody reads, autobahn prints its configuration prettily for each
        # socket: a seventh of what accepting one costs.
        autobahn.websocket.protocol.pformat = repr  # type: ignore[assignment, attr-defined]
        HTTPFactory.protocol = staticmethod(_guarded_channel)
        HTTPFactory.buildProtocol = _guarded_requests
        self._ports: list[tuple[Any, Callable[[], None]]] = []
        self._ending: set[Any] = set()  # disconnected, or without an application
        self.server_name = ""  # an answer names no software
        logging.captureWarnings(True)
        reactor.callWhenRunning(self._begin)
        super().run()

    def _begin(self) -> None:
        """The loop runs."""
        self._watch = asyncio.ensure_future(processes.watch())

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Stock daphne offers no extensions to a WebSocket's application."""
        if isinstance(protocol, GuardedSocket):
            scope["extensions"] = {
                connection.DIRECT: protocol.write_frame,
                connection.UNSENT: protocol._unsent,
            }
        queue = super().create_application(protocol, scope)
        application = self.connections.get(protocol, {}).get("application_instance")
        if application is not None:
            application.add_done_callback(lambda _: self._ending.add(protocol))
        return queue

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Stock daphne takes an answer as fast as the application makes it."""
        await super().handle_reply(protocol, message)
        if isinstance(protocol, GuardedRequest):
            await protocol.until_read()

    def protocol_disconnected(self, protocol: Any) -> None:
        super().protocol_disconnected(protocol)
        self._ending.add(protocol)

    def application_checker(self) -> None:
        """Stock daphne searches all connections, once a second and in one go, for those that have
        ended; here it gets only these to see."""
        every = self.connections
        ending = {protocol: every[protocol] for protocol in self._ending if protocol in every}
        self.connections = dict(ending)
        super().application_checker()
        for protocol in ending.keys() - self.connections.keys():
            del every[protocol]
        self._ending.intersection_update(self.connections)
        self.connections = every

    def listen_success(self, port: Any) -> None:
        """Stock daphne keeps no port, and so could not stop listening. Stock Twisted lets fifty
        wait, the kernel makes others knock again ever later, and accepts all who wait in one go."""
        super().listen_success(port)
        port.socket.listen(LISTEN_QUEUE)
        accept = port.doRead
        self._ports.append((port, accept))

        def accept_some() -> None:
            port.numberAccepts = min(port.numberAccepts, ACCEPTED_IN_A_ROUND)
            accept()

        port.doRead = accept_some

    def kill_all_applications(self) -> "defer.Deferred[None]":
        """Stock daphne cancels every consumer: no close frame is sent, no lease handed over. Stock
        Twisted resets the connections that wait to be accepted, which a proxy takes for made."""
        for port, accept in self._ports:
            port.numberAccepts = LISTEN_QUEUE
            accept()
            port.stopListening()
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end()))

    def _is_busy(self, seconds: float) -> bool:
        """Whether somebody is still served, so many seconds after the last was let in."""
        answering = any(
            isinstance(protocol, GuardedRequest) and "disconnected" not in details
            for protocol, details in self.connections.items()
        )
        is_asked = seconds < LAST_REQUEST_S and bool(requesting)
        return seconds < DRAIN_S and (bool(connection.open_lines) or answering or is_asked)

    async def _end(self) -> None:
        """Tells every socket that the server restarts; ends what is still there after a while."""
        health.drain()
        return_within_ms = str(connection.return_within_ms())
        began = time.monotonic()
        while self._is_busy(time.monotonic() - began):
            for socket in list(connection.open_lines):
                socket.drop(close_codes.RESTARTING, return_within_ms)
            await asyncio.sleep(DRAIN_STEP_S)
        applications = [
            details["application_instance"]
            for details in self.connections.values()
            if "application_instance" in details
        ]
        for application in applications:
            application.cancel()
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                await asyncio.gather(*applications, return_exceptions=True)
                await runtime.shutdown()
                self._watch.cancel()
                with suppress(Unavailable, DatabaseError):
                    await database.probe(processes.end)
        except TimeoutError:
            log.warning("ended without its last words")


def _guarded_channel() -> _GenericHTTPChannelProtocol:
    return _GenericHTTPChannelProtocol(GuardedChannel())


def _guarded_requests(self: HTTPFactory, addr: Any) -> HTTPChannel:
    channel: HTTPChannel = _stock_requests(self, addr)
    channel.requestFactory = GuardedRequest
    return channel


_stock_requests = HTTPFactory.buildProtocol


def self_test() -> None:
    """Fails if what is overridden above is not there any more."""
    expected = {
        WebSocketProtocol: (
            *("dataReceived", "connectionLost", "check_timeouts", "handle_reply", "sendClose"),
            *("onOpen", "onClose", "onMessage", "onPing", "sendHttpErrorResponse"),
        ),
        WebRequest: (
            *("process", "gotLength", "handleContentChunk", "handle_reply", "basic_error"),
            "handle_exception",
        ),
        Request: ("gotLength", "handleContentChunk"),
        DaphneServer: (
            "run",
            "listen_success",
            "create_application",
            "handle_reply",
            "kill_all_applications",
            "protocol_disconnected",
            "application_checker",
        ),
        tcp.Port: ("doRead",),
        tcp.Server: ("bufferSize", "dataBuffer", "offset"),
        WebSocketFactory: ("protocol",),
        HTTPFactory: ("buildProtocol", "protocol"),
        HTTPChannel: (
            *("connectionMade", "dataReceived", "allContentReceived", "connectionLost"),
            *("pauseProducing", "resumeProducing", "loseConnection"),
        ),
        autobahn.websocket.protocol: ("pformat",),
    }
    for owner, names in expected.items():
        for name in names:
            if not hasattr(owner, name):
                raise RuntimeError(
                    f"{owner.__name__}.{name} is gone: see noom_project/server/server.py"
                )
