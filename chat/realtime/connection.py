"""A connection: receives in order, sends without waiting, and drops a reader that does not read."""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from chat.errors import Unavailable
from chat.protocol import close_codes
from chat.protocol.frames import Frame
from chat.realtime.rate_limits import addresses, client_address
from chat.stats import counts

FAIR_SHARE = 8  # messages of one socket before the event loop serves other sockets
READ_AHEAD = 8  # frames taken while one is served; a page sends none before its answer
MAX_BACKLOG_BYTES = 1_000_000  # frames that wait for a reader; past that it is dropped

# ASGI extension of noom_project/server/websocket.py: writes a frame as bytes of the wire, at once.
# The server bounds the backlog itself. Other servers do not offer it.
DIRECT = "noom.direct"
# ASGI extension: the number of bytes that the server holds for this reader.
UNSENT = "noom.unsent"

log = logging.getLogger(__name__)

open_lines: "set[Line]" = set()  # connections of this process

# After a process is lost, pages reconnect at random within a window. It has 4 ms for each
# connection: the time that another process needs to admit one, while it serves its own.
RETURN_MS_EACH = 4
LEAST_RETURN_MS, MOST_RETURN_MS = 1_000, 10_000


def return_within_ms() -> int:
    """The window in which the pages of this process reconnect if they lose it."""
    return min(max(LEAST_RETURN_MS, RETURN_MS_EACH * len(open_lines)), MOST_RETURN_MS)


class Line(AsyncConsumer):
    """One connection of a client. Subclasses handle its frames."""

    id = ""  # the participant, once it is known
    number = 0  # the connection's number, as its page counts
    kind = ""  # the kind of socket, for the log
    epoch = ""  # the epoch of the room that it entered

    async def __call__(
        self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Any
    ) -> None:
        # Replaces Channels' `__call__`, which gives each socket a channel and a task of its own.
        # The hub has one channel a process. `gone` runs however the socket ends.
        self._begin(scope, send)
        counted = addresses.connect(self.address)
        try:
            if counted:
                await self._dispatch_all(receive)
            else:
                await self.refuse_connection(receive)
        except StopConsumer:
            pass
        except Exception as error:
            self._give_up(error)
        finally:
            if counted:
                addresses.disconnect(self.address)
            if self._coming is not None:
                self._coming.cancel()
            try:
                self._note_end()
                await self.gone()
            except Exception as error:  # else the server would log it again, and close once more
                self.note(error)
            finally:
                open_lines.discard(self)
                self.ended.set_result(None)

    def _begin(self, scope: Mapping[str, Any], send: Any) -> None:
        self.scope, self.base_send = scope, send
        self.line = secrets.token_hex(8)
        self.address = client_address(scope)
        self._direct = scope.get("extensions", {}).get(DIRECT)
        self._frames: deque[Frame] = deque()
        self._waiting_bytes = 0
        self._sender: asyncio.Task[None] | None = None
        self._ahead: deque[Mapping[str, Any]] = deque()
        self._coming: asyncio.Future[Mapping[str, Any]] | None = None
        self.closed_with: int | None = None
        self._reason = ""
        self._opened = time.monotonic()
        self.ended = asyncio.get_running_loop().create_future()
        open_lines.add(self)

    async def _dispatch_all(self, receive: Callable[[], Awaitable[Any]]) -> None:
        for turn in count(1):
            if self.may_wait:
                await self._dispatch_watching(await self._next(receive), receive)
            else:
                await self.dispatch(await self._next(receive))
            if not turn % FAIR_SHARE:
                await asyncio.sleep(0)  # else one socket's burst would run without a pause

    async def _next(self, receive: Callable[[], Awaitable[Any]]) -> Mapping[str, Any]:
        """The next message: one that was read ahead, or the next to arrive."""
        if self._ahead:
            return self._ahead.popleft()
        coming, self._coming = self._coming, None
        return await (receive() if coming is None else coming)

    async def _dispatch_watching(
        self, message: Mapping[str, Any], receive: Callable[[], Awaitable[Any]]
    ) -> None:
        """Serve a message, and read ahead meanwhile, to notice the end of the connection.

        The page of an ended connection most likely has a newer one. Work for the old connection
        must not complete after that of the newer one.
        """
        work = asyncio.ensure_future(self.dispatch(message))
        try:
            while not work.done() and self.closed_with is None and len(self._ahead) < READ_AHEAD:
                self._coming = self._coming or asyncio.ensure_future(receive())
                await asyncio.wait((work, self._coming), return_when=asyncio.FIRST_COMPLETED)
                if self._coming.done():
                    self._take_ahead(self._coming.result())
                    self._coming = None
            await work
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait((work,))
            raise

    def _take_ahead(self, message: Mapping[str, Any]) -> None:
        self._ahead.append(message)
        if message["type"] == "websocket.disconnect":
            self.closed_with = self.closed_with or message.get("code") or close_codes.GOING_AWAY

    async def dispatch(self, message: Mapping[str, Any]) -> None:
        """Handle one of the three ASGI messages. No text of a client names a method."""
        match message["type"]:
            case "websocket.connect":
                await self.base_send({"type": "websocket.accept"})
                await self.connected()
            case "websocket.receive" if self.closed_with is None:
                text = message.get("text")
                await self.received(message.get("bytes") if text is None else text)
            case "websocket.disconnect":
                self.closed_with = self.closed_with or message.get("code") or close_codes.GOING_AWAY
                raise StopConsumer

    async def refuse_connection(self, receive: Callable[[], Awaitable[Any]]) -> None:
        """Refuse a socket beyond the limit of its address, by accepting and closing it.

        A refused handshake would reach the page as a code without meaning.
        """
        await receive()
        self.closed_with = close_codes.FLOODING
        await self.base_send({"type": "websocket.accept"})
        await self.base_send({"type": "websocket.close", "code": self.closed_with})

    @property
    def about(self) -> dict[str, str]:
        """Context for the log. `page` names the page load, and so both of its sockets."""
        known = {"page": self.id, "socket": self.kind, "line": self.line, "address": self.address}
        return {name: value for name, value in known.items() if value}

    def note(self, error: Exception) -> str:
        """Log a server error, and return the reference by which a user can name it."""
        reference = self.id or self.line
        about = {**self.about, "reference": reference}
        if isinstance(error, Unavailable):
            log.warning("unavailable: %s", error, extra=about)
        else:
            log.error("server error", extra=about, exc_info=error)
        return reference

    @property
    def is_open(self) -> bool:
        """Whether the connection has neither ended nor been told to end."""
        return self.closed_with is None

    @property
    def transport(self) -> str:
        """The transport: "websocket", or the one that the scope names."""
        carrier: str = self.scope.get("noom.transport", "websocket")
        return carrier

    @property
    def backlog_bytes(self) -> int:
        """Bytes that wait to be sent, here and, where it is known, in the server."""
        unsent = self.scope.get("extensions", {}).get(UNSENT)
        return self._waiting_bytes + (unsent() if unsent else 0)

    @property
    def may_wait(self) -> bool:
        """Whether the message may be served for long, while the page may go away."""
        return False

    async def connected(self) -> None:
        """Called when the connection is open."""

    async def received(self, frame: str | bytes | None) -> None:
        """Called for each frame."""

    async def gone(self) -> None:
        """Called after the socket has ended, however it ended."""

    def deliver(self, frame: Frame) -> None:
        """Send a frame, after those before it."""
        if self.closed_with is not None:
            return
        if self._direct is not None:
            self._direct(frame.wire)
            return
        self._frames.append(frame)
        self._waiting_bytes += len(frame.payload)
        # The first frame is on its way, so a long answer makes no slow reader.
        if self._waiting_bytes - len(self._frames[0].payload) > MAX_BACKLOG_BYTES:
            self.drop(close_codes.TOO_SLOW)
        elif self._sender is None:
            self._sender = asyncio.create_task(self._send_frames())

    def drop(self, code: int, reason: str = "") -> None:
        """Close the connection with a code, after the frames that wait."""
        if self.closed_with is not None:
            return
        self.closed_with, self._reason = code, reason
        if code == close_codes.TOO_SLOW:
            self._frames.clear()
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_frames())

    def _give_up(self, error: Exception) -> None:
        """Log a failure of this connection and close it."""
        self.note(error)
        counts.errors["server_error"] += 1
        self.drop(close_codes.SERVER_ERROR)

    def _note_end(self) -> None:
        code = self.closed_with or close_codes.GOING_AWAY
        counts.closes[code] += 1
        seconds = round(time.monotonic() - self._opened, 1)
        log.info("closed", extra={**self.about, "code": code, "seconds": seconds})

    async def _send_frames(self) -> None:
        try:
            while self._frames:
                frame = self._frames.popleft()
                self._waiting_bytes -= len(frame.payload)
                await self.base_send({"type": "websocket.send", "text": frame.text})
            if self.closed_with is not None:
                close = {"type": "websocket.close", "code": self.closed_with}
                await self.base_send({**close, "reason": self._reason})
        except Exception:  # the peer is gone; the server reports the end, which calls `gone`
            log.debug("sending to %s failed", self.line, exc_info=True)
        finally:
            self._sender = None
