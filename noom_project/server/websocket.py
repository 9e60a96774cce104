"""Daphne's WebSocket with bounds, keepalive and direct writes.

Each override names the behaviour of stock daphne, or of autobahn below it.
"""

import asyncio
import contextlib
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet import tcp
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from chat.protocol import close_codes
from chat.protocol.frames import PING
from chat.realtime.rate_limits import TokenBucket
from noom_project.security.headers import FINAL_HEADERS
from noom_project.server.keepalive import Keepalive
from noom_project.server.slow_readers import unsent

PING_EVERY_S = 6.0  # a heartbeat, which contains a ping, comes sooner in rooms
PONG = b"\x8a\x80"  # then four bytes of a mask, and no payload
PONG_BYTES = 6
# Frames of one socket that wait for its consumer; beyond it the socket is closed as flooding.
MAX_QUEUED_FRAMES = 300
MAX_QUEUED_BYTES = 2_000_000
CONTROL_FRAMES_PER_S = 10.0  # further pings get no pong
READ_BYTES = 2_048  # of one socket in one round of the event loop
MAX_CLOSE_REPLY_BYTES = 1_024  # after the close frame; a longer read is no answer to it
MAX_BYTES_AFTER_CLOSE = 64_000  # of such longer reads; then the connection is aborted
MAX_UNSENT_BYTES = 2_000_000  # that wait for a reader; beyond it the socket is closed as slow

keepalive = Keepalive()


class GuardedSocket(WebSocketProtocol):
    """A WebSocket with bounded memory."""

    muted: bool  # daphne's: it drops all further frames
    _late_bytes = 0  # received after the close frame
    # By the clock of `keepalive`: the last ping, and the first ping without an answer.
    _pinged_at = 0.0
    _asked_at: float | None = None

    def dataReceived(self, data: bytes) -> None:
        """Bounds the bytes after a close, which autobahn parses for another second."""
        self._asked_at = None
        if len(data) == PONG_BYTES and data.startswith(PONG) and self._is_between_frames():
            return  # the most frequent frame of all; it only shows that the client is alive
        if self.state == self.STATE_CLOSING and len(data) > MAX_CLOSE_REPLY_BYTES:
            self._late_bytes += len(data)
            if self._late_bytes > MAX_BYTES_AFTER_CLOSE:
                self.transport.abortConnection()
        else:
            super().dataReceived(data)

    def onOpen(self) -> None:
        super().onOpen()
        # Twisted reads 64 KiB at once: a thousand small frames, for which all other sockets wait.
        self.transport.bufferSize = READ_BYTES
        self._controls = TokenBucket(CONTROL_FRAMES_PER_S)
        self._queued_bytes = 0  # since the queue was last found empty
        self._pinged_at = keepalive.now
        keepalive.add(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Bounds the frames that wait for the consumer; stock daphne has no bound."""
        waiting = self.application_queue.qsize()
        self._queued_bytes = (self._queued_bytes if waiting else 0) + len(payload)
        full = waiting >= MAX_QUEUED_FRAMES or self._queued_bytes > MAX_QUEUED_BYTES
        if full and settings.RATE_LIMITS:
            self._cut_off(close_codes.FLOODING)
        else:
            super().onMessage(payload, isBinary)

    def onPing(self, payload: bytes) -> None:
        """Bounds the pings that are answered; stock daphne answers them all."""
        if self._controls.take():
            super().onPing(payload)
        elif self._controls.is_flooding:
            self._cut_off(close_codes.FLOODING)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        keepalive.discard(self)
        super().onClose(wasClean, code, reason)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Breaks reference cycles of stock autobahn, which only the collector would free."""
        super().connectionLost(reason)
        self.is_open = self.is_closed = None

    def check(self, now: float) -> None:
        """Closes a silent or too old socket; pings one that no heartbeat has pinged."""
        if self.state != self.STATE_OPEN:
            return
        if 0 <= self.server.websocket_timeout < self.duration():
            self.serverClose()
        elif self._asked_at is not None and now - self._asked_at >= close_codes.SILENT_S:
            self._cut_off(close_codes.SILENT)
        elif now - self._pinged_at >= PING_EVERY_S:
            self.write_frame(PING)

    def check_timeouts(self) -> None:
        """Checks only handshakes; stock daphne checks all sockets every two seconds."""
        if self.state == self.STATE_CONNECTING:
            super().check_timeouts()

    def _is_between_frames(self) -> bool:
        return self.state == self.STATE_OPEN and self.current_frame is None and not self.data

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Handles a message of the application.

        Stock daphne loses the reason of a close and every empty message, and buffers without a
        bound for a slow reader.
        """
        if message["type"] == "websocket.close" and self.state == self.STATE_OPEN:
            self.sendClose(message.get("code") or close_codes.NORMAL, message.get("reason") or None)
            return
        super().handle_reply(message)
        if message["type"] == "websocket.send":
            if not (message.get("bytes") or message.get("text")):
                binary = message.get("bytes") is not None
                self.serverSend(b"" if binary else "", binary)
            self._bound_unsent(len(message.get("bytes") or message.get("text") or ""))

    def write_frame(self, wire: bytes) -> None:
        """Sends an encoded frame (`connection.DIRECT`), past buffers if they are empty.

        Stock daphne and autobahn encode a frame for each reader. Twisted writes it in the next
        round of the event loop only, which costs two calls of the selector.
        """
        if self.state != self.STATE_OPEN or self.muted:
            return
        if wire.endswith(PING):
            self._pinged_at = keepalive.now
            self._asked_at = keepalive.now if self._asked_at is None else self._asked_at
        transport = self.transport
        if type(transport) is tcp.Server and not unsent(self.transport):
            with contextlib.suppress(OSError):  # full or closed: Twisted finds out which
                wire = wire[transport.socket.send(wire) :]
        if wire:
            transport.write(wire)
            self._bound_unsent(len(wire))

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Any = None) -> None:
        """Adds Noom's headers to a refused handshake; stock autobahn has none."""
        super().sendHttpErrorResponse(
            code, reason, [*(responseHeaders or ()), *FINAL_HEADERS.items()]
        )

    def _bound_unsent(self, newest: int) -> None:
        """Closes the socket of a slow reader; its newest frame may be long."""
        if unsent(self.transport) - newest > MAX_UNSENT_BYTES:
            self._cut_off(close_codes.TOO_SLOW)

    def _cut_off(self, code: int) -> None:
        """Closes the socket once, without waiting for the other side's close frame."""
        if self.muted:
            return
        self.muted = True
        self.sendClose(code)
        self.application_queue.put_nowait({"type": "websocket.disconnect", "code": code})
        asyncio.get_running_loop().call_later(1, self.transport.abortConnection)
