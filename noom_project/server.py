"""Daphne's server with its gaps closed: floods, slow readers, large bodies, and a quiet end.

Each override names what stock daphne does. `self_test` fails when a release of daphne, autobahn or
Twisted has moved what is overridden here.
"""

import asyncio
import contextlib
import logging
from typing import Any

import autobahn.websocket.protocol
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server as DaphneServer
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from twisted.internet import defer, tcp
from twisted.web.http import HTTPChannel, Request, _GenericHTTPChannelProtocol

from chat import closes, line, runtime
from chat.limits import Bucket
from noom_project import health
from noom_project.handshakes import GuardedChannel
from noom_project.headers import LAST

MAX_BODY_BYTES = 1_000_000
# Of one socket, until its consumer takes them.
MAX_QUEUED_FRAMES = 300
MAX_QUEUED_BYTES = 2_000_000
MAX_UNSENT_BYTES = 2_000_000  # to one socket, until its reader reads them
CONTROL_FRAMES_PER_S = 10.0
LISTEN_QUEUE = 4_096  # who may wait to be accepted; the kernel's own limit may be lower
ACCEPTED_IN_A_ROUND = 2  # of the loop
READ_BYTES = 2_048  # of one socket in one round of the loop
GOODBYE_BYTES = 1_024  # of one who was told to go; what is longer is no answer to that
MAX_LATE_BYTES = 64_000
PING_EVERY_S = 5.0
PONG_WITHIN_S = 4.0
LAST_CHANCE_S = closes.SILENT_S - PONG_WITHIN_S
DRAIN_S = 6.0
LAST_WORDS_S = 2.0  # for what is left then; Redis may be gone too

log = logging.getLogger(__name__)


class GuardedSocket(WebSocketProtocol):
    """A WebSocket that cannot be made to eat memory."""

    muted: bool  # daphne's: nothing that comes is taken any more
    _late_bytes = 0  # came after we said goodbye

    def dataReceived(self, data: bytes) -> None:
        """Autobahn goes on parsing, for a second, what comes after a close. A goodbye is short."""
        if self.state == self.STATE_CLOSING and len(data) > GOODBYE_BYTES:
            self._late_bytes += len(data)
            if self._late_bytes > MAX_LATE_BYTES:
                self.transport.abortConnection()
        else:
            super().dataReceived(data)

    def onOpen(self) -> None:
        super().onOpen()
        # Twisted reads 64 KiB at once: a thousand small frames, for which everyone else waits.
        self.transport.bufferSize = READ_BYTES
        self._controls = Bucket(CONTROL_FRAMES_PER_S)
        self._queued_bytes = 0  # since the queue was last found empty

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Stock daphne queues frames without a bound."""
        waiting = self.application_queue.qsize()
        self._queued_bytes = (self._queued_bytes if waiting else 0) + len(payload)
        full = waiting >= MAX_QUEUED_FRAMES or self._queued_bytes > MAX_QUEUED_BYTES
        if full and settings.RATE_LIMITS:
            self._cut_off(closes.FLOODING)
        else:
            super().onMessage(payload, isBinary)

    def onPing(self, payload: bytes) -> None:
        """Stock daphne answers every ping at once, however many there are."""
        if self._controls.take():
            super().onPing(payload)
        elif self._controls.flooding:
            self._cut_off(closes.FLOODING)

    def onAutoPingTimeout(self) -> None:
        """Autobahn drops a line at once; but this process may have stood still, and pongs wait."""
        self.autoPingTimeoutCall = None
        asyncio.get_running_loop().call_later(LAST_CHANCE_S, self._cut_off_if_silent)

    def _cut_off_if_silent(self) -> None:
        if self.autoPingPending and self.state == self.STATE_OPEN:
            self._cut_off(closes.SILENT)

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Stock daphne loses the reason of a close and every empty message, and buffers for a
        reader who does not read."""
        if message["type"] == "websocket.close" and self.state == self.STATE_OPEN:
            self.sendClose(message.get("code") or closes.NORMAL, message.get("reason") or None)
            return
        super().handle_reply(message)
        if message["type"] == "websocket.send":
            if not (message.get("bytes") or message.get("text")):
                binary = message.get("bytes") is not None
                self.serverSend(b"" if binary else "", binary)
            self._bound_unsent()

    def write_frame(self, wire: bytes) -> None:
        """Sends an encoded frame (`line.DIRECT`): to the socket itself where nothing waits for it.

        Stock daphne and autobahn encode a frame for each reader, and Twisted writes it only in the
        loop's next round, for which it tells the selector twice.
        """
        if self.state != self.STATE_OPEN or self.muted:
            return
        transport = self.transport
        if type(transport) is tcp.Server and not self._unsent():
            with contextlib.suppress(OSError):  # full, or gone: Twisted finds out which
                wire = wire[transport.socket.send(wire) :]
        if wire:
            transport.write(wire)
            self._bound_unsent()

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Any = None) -> None:
        """Stock autobahn answers a refused handshake without any headers of ours."""
        super().sendHttpErrorResponse(code, reason, [*(responseHeaders or ()), *LAST.items()])

    def _bound_unsent(self) -> None:
        if self._unsent() > MAX_UNSENT_BYTES:
            self._cut_off(closes.TOO_SLOW)

    def _unsent(self) -> int:
        """The bytes that wait for the reader."""
        return _unsent(self.transport)

    def _cut_off(self, code: int) -> None:
        """Says goodbye, once, without waiting for the other side to hear it."""
        if self.muted:
            return
        self.muted = True
        self.sendClose(code)
        self.application_queue.put_nowait({"type": "websocket.disconnect", "code": code})
        asyncio.get_running_loop().call_later(1, self.transport.abortConnection)


class GuardedRequest(WebRequest):
    """A request whose body has a bound, and what waits for its reader too."""

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Stock daphne names itself, in a page whose style our policy forbids."""
        headers = {**LAST, "Content-Type": "text/plain; charset=utf-8"}
        told = status_text + b"\n"
        headers["Content-Length"] = str(len(told))
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        start = {"type": "http.response.start", "status": status, "headers": encoded}
        self.handle_reply(start)
        self.handle_reply({"type": "http.response.body", "body": told})

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

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Stock daphne buffers an endless answer for a reader who does not read."""
        super().handle_reply(message)
        if message.get("more_body") and self.channel is not None:
            transport = self.channel.transport
            if _unsent(transport) > MAX_UNSENT_BYTES:
                transport.abortConnection()

    def _refuse_body(self) -> None:
        transport = self.channel.transport
        head = [b"HTTP/1.1 413 Content Too Large", *(f"{n}: {v}".encode() for n, v in LAST.items())]
        transport.write(b"\r\n".join(head) + b"\r\n\r\n")
        transport.loseConnection()


class Server(DaphneServer):
    """Daphne's server, guarded, and ended by telling every page to come back."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # By default it takes 50 s until a pulled cable is noticed.
        pings = {"ping_interval": PING_EVERY_S, "ping_timeout": PONG_WITHIN_S}
        super().__init__(*args, **{**pings, **options})

    def run(self) -> None:
        self_test()
        WebSocketFactory.protocol = GuardedSocket
        # For a debug line that nobody reads, autobahn prints its configuration prettily for each
        # socket: a seventh of what accepting one costs.
        autobahn.websocket.protocol.pformat = repr  # type: ignore[assignment, attr-defined]
        HTTPFactory.protocol = staticmethod(_guarded_channel)
        HTTPFactory.buildProtocol = _guarded_requests
        self._ports: list[Any] = []
        self.server_name = ""  # an answer names no software
        logging.captureWarnings(True)
        super().run()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Stock daphne offers no extensions to a WebSocket's application."""
        if isinstance(protocol, GuardedSocket):
            scope["extensions"] = {
                line.DIRECT: protocol.write_frame,
                line.UNSENT: protocol._unsent,
            }
        return super().create_application(protocol, scope)

    def listen_success(self, port: Any) -> None:
        """Stock daphne keeps no port, and so could not stop listening. Stock Twisted lets fifty
        wait, the kernel makes others knock again ever later, and accepts all who wait in one go."""
        super().listen_success(port)
        self._ports.append(port)
        port.socket.listen(LISTEN_QUEUE)
        accept = port.doRead

        def accept_some() -> None:
            port.numberAccepts = min(port.numberAccepts, ACCEPTED_IN_A_ROUND)
            accept()

        port.doRead = accept_some

    def kill_all_applications(self) -> "defer.Deferred[None]":
        """Stock daphne cancels every consumer: no close frame is sent, no lease handed over."""
        for port in self._ports:
            port.stopListening()
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        """Tells every socket that the server restarts; ends what is still there after a while."""
        health.drain()
        return_within_ms = str(line.return_within_ms())
        for socket in list(line.open_lines):
            socket.drop(closes.RESTARTING, return_within_ms)
        ending = [socket.ended for socket in line.open_lines]
        if ending:
            await asyncio.wait(ending, timeout=DRAIN_S)
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
        except TimeoutError:
            log.warning("ended without its last words")


def _unsent(transport: Any) -> int:
    """Bytes that wait in a connection for its reader."""
    written = len(getattr(transport, "dataBuffer", b"")) - getattr(transport, "offset", 0)
    return written + int(getattr(transport, "_tempDataLen", 0))


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
            *("dataReceived", "onOpen", "onMessage", "onPing", "onAutoPingTimeout"),
            *("handle_reply", "sendClose", "sendHttpErrorResponse"),
        ),
        WebRequest: ("gotLength", "handleContentChunk", "handle_reply", "basic_error"),
        Request: ("gotLength", "handleContentChunk"),
        DaphneServer: ("run", "listen_success", "create_application", "kill_all_applications"),
        tcp.Port: ("doRead",),
        tcp.Server: ("bufferSize", "dataBuffer", "offset"),
        WebSocketFactory: ("protocol",),
        HTTPFactory: ("buildProtocol", "protocol"),
        HTTPChannel: ("connectionMade", "dataReceived", "allContentReceived", "connectionLost"),
        autobahn.websocket.protocol: ("pformat",),
    }
    for owner, names in expected.items():
        for name in names:
            if not hasattr(owner, name):
                raise RuntimeError(f"{owner.__name__}.{name} is gone: see noom_project/server.py")
