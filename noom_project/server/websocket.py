"""Daphne's WebSocket with its gaps closed: floods, slow readers, silence, and frames sent at once.

Each override names what stock daphne, or autobahn below it, does.
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
from chat.realtime.rate_limits import Bucket
from noom_project.security.headers import LAST
from noom_project.server.keepalive import Pulse
from noom_project.server.slow_readers import unsent

PING_EVERY_S = 6.0  # a beat, which has one, comes sooner where people are
PONG = b"\x8a\x80"  # and four bytes by which nothing is masked
PONG_BYTES = 6
# Of one socket, until its consumer takes them.
MAX_QUEUED_FRAMES = 300
MAX_QUEUED_BYTES = 2_000_000
CONTROL_FRAMES_PER_S = 10.0
READ_BYTES = 2_048  # of one socket in one round of the loop
GOODBYE_BYTES = 1_024  # of one who was told to go; what is longer is no answer to that
MAX_LATE_BYTES = 64_000
MAX_UNSENT_BYTES = 2_000_000  # to one socket, until its reader reads them

pulse = Pulse()


class GuardedSocket(WebSocketProtocol):
    """A WebSocket that cannot be made to eat memory."""

    muted: bool  # daphne's: nothing that comes is taken any more
    _late_bytes = 0  # came after we said goodbye
    # By the clock of `pulse`: the last ping; and the first after which nothing has come yet.
    _pinged_at = 0.0
    _asked_at: float | None = None

    def dataReceived(self, data: bytes) -> None:
        """Autobahn goes on parsing, for a second, what comes after a close. A goodbye is short."""
        self._asked_at = None
        if len(data) == PONG_BYTES and data.startswith(PONG) and self._is_between_frames():
            return  # the most frequent frame of all, which says nothing but that it lives
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
        self._pinged_at = pulse.now
        pulse.add(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Stock daphne queues frames without a bound."""
        waiting = self.application_queue.qsize()
        self._queued_bytes = (self._queued_bytes if waiting else 0) + len(payload)
        full = waiting >= MAX_QUEUED_FRAMES or self._queued_bytes > MAX_QUEUED_BYTES
        if full and settings.RATE_LIMITS:
            self._cut_off(close_codes.FLOODING)
        else:
            super().onMessage(payload, isBinary)

    def onPing(self, payload: bytes) -> None:
        """Stock daphne answers every ping at once, however many there are."""
        if self._controls.take():
            super().onPing(payload)
        elif self._controls.flooding:
            self._cut_off(close_codes.FLOODING)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        pulse.discard(self)
        super().onClose(wasClean, code, reason)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stock autobahn's socket holds itself by these, until the garbage collector comes."""
        super().connectionLost(reason)
        self.is_open = self.is_closed = None

    def check(self, now: float) -> None:
        """By keepalive.py: ends the silent and the old; pings whom no beat has pinged."""
        if self.state != self.STATE_OPEN:
            return
        if 0 <= self.server.websocket_timeout < self.duration():
            self.serverClose()
        elif self._asked_at is not None and now - self._asked_at >= close_codes.SILENT_S:
            self._cut_off(close_codes.SILENT)
        elif now - self._pinged_at >= PING_EVERY_S:
            self.write_frame(PING)

    def check_timeouts(self) -> None:
        """Stock daphne asks all sockets every two seconds, in one go."""
        if self.state == self.STATE_CONNECTING:
            super().check_timeouts()

    def _is_between_frames(self) -> bool:
        return self.state == self.STATE_OPEN and self.current_frame is None and not self.data

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Stock daphne loses the reason of a close and every empty message, and buffers for a
        reader who does not read."""
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
        """Sends an encoded frame (`line.DIRECT`): to the socket itself where nothing waits for it.

        Stock daphne and autobahn encode a frame for each reader, and Twisted writes it only in the
        loop's next round, for which it tells the selector twice.
        """
        if self.state != self.STATE_OPEN or self.muted:
            return
        if wire.endswith(PING):
            self._pinged_at = pulse.now
            self._asked_at = pulse.now if self._asked_at is None else self._asked_at
        transport = self.transport
        if type(transport) is tcp.Server and not self._unsent():
            with contextlib.suppress(OSError):  # full, or gone: Twisted finds out which
                wire = wire[transport.socket.send(wire) :]
        if wire:
            transport.write(wire)
            self._bound_unsent(len(wire))

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Any = None) -> None:
        """Stock autobahn answers a refused handshake without any headers of ours."""
        super().sendHttpErrorResponse(code, reason, [*(responseHeaders or ()), *LAST.items()])

    def _bound_unsent(self, newest: int) -> None:
        """Before the newest: a long answer of ours makes no slow reader."""
        if self._unsent() - newest > MAX_UNSENT_BYTES:
            self._cut_off(close_codes.TOO_SLOW)

    def _unsent(self) -> int:
        """The bytes that wait for the reader."""
        return unsent(self.transport)

    def _cut_off(self, code: int) -> None:
        """Says goodbye, once, without waiting for the other side to hear it."""
        if self.muted:
            return
        self.muted = True
        self.sendClose(code)
        self.application_queue.put_nowait({"type": "websocket.disconnect", "code": code})
        asyncio.get_running_loop().call_later(1, self.transport.abortConnection)
