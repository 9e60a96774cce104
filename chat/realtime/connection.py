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

MESSAGES_PER_TURN = 8  # messages of one socket before the event loop serves other sockets
MAX_READ_AHEAD = 8  # frames taken while one is served; a page sends none before its answer
MAX_BACKLOG_BYTES = 1_000_000  # frames that wait for a reader; past that it is dropped

# ASGI extension of noom_project/server/websocket.py: writes a frame as bytes of the wire, at once.
# The server bounds the backlog itself. Other servers do not offer it.
WRITE_FRAME = "noom.direct"
# ASGI extension: the number of bytes that the server holds for this reader.
UNSENT_BYTES = "noom.unsent"

log = logging.getLogger(__name__)

open_connections: "set[Connection]" = set()  # connections of this process

# After a process is lost, pages reconnect at random within a window. It has 4 ms for each
# connection: the time that another process needs to admit one, while it serves its own.
RECONNECT_MS_PER_CONNECTION = 4
MIN_RECONNECT_WINDOW_MS, MAX_RECONNECT_WINDOW_MS = 1_000, 10_000


def reconnect_window_ms() -> int:
    """The window in which the pages of this process reconnect if they lose it."""
    return min(
        max(MIN_RECONNECT_WINDOW_MS, RECONNECT_MS_PER_CONNECTION * len(open_connections)),
        MAX_RECONNECT_WINDOW_MS,
    )


class Connection(AsyncConsumer):
    """One connection of a client. Subclasses handle its frames."""

    id = ""  # the participant, once it is known
    session_id = ""  # the session of a caller
    number = 0  # the connection's number, as its page counts
    endpoint_name = ""  # the kind of socket, for the log
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
                await self.reject(receive)
        except StopConsumer:
            pass
        except Exception as error:
            self._fail(error)
        finally:
            if counted:
                addresses.disconnect(self.address)
            if self._receiving is not None:
                self._receiving.cancel()
            try:
                self._log_close()
                await self.on_disconnect()
            except Exception as error:  # else the server would log it again, and close once more
                self.log_error(error)
            finally:
                open_connections.discard(self)
                self.ended.set_result(None)

    def _begin(self, scope: Mapping[str, Any], send: Any) -> None:
        self.scope, self.base_send = scope, send
        self.connection_id = secrets.token_hex(8)
        self.address = client_address(scope)
        self._write_frame = scope.get("extensions", {}).get(WRITE_FRAME)
        self._frames: deque[Frame] = deque()
        self._waiting_bytes = 0
        self._sender: asyncio.Task[None] | None = None
        self._messages_ahead: deque[Mapping[str, Any]] = deque()
        self._receiving: asyncio.Future[Mapping[str, Any]] | None = None
        self.close_code: int | None = None
        self._close_reason = ""
        self._opened_at = time.monotonic()
        self.ended = asyncio.get_running_loop().create_future()
        open_connections.add(self)

    async def _dispatch_all(self, receive: Callable[[], Awaitable[Any]]) -> None:
        for turn in count(1):
            if self._messages_ahead:
                message = self._messages_ahead.popleft()
            else:
                coming, self._receiving = self._receiving, None
                message = await (receive() if coming is None else coming)
            if self.may_take_long:
                await self._dispatch_and_read_ahead(message, receive)
            else:
                await self.dispatch(message)
            if not turn % MESSAGES_PER_TURN:
                await asyncio.sleep(0)  # else one socket's burst would run without a pause

    async def _dispatch_and_read_ahead(
        self, message: Mapping[str, Any], receive: Callable[[], Awaitable[Any]]
    ) -> None:
        """Serve a message, and read ahead meanwhile, to notice the end of the connection.

        The page of an ended connection most likely has a newer one. Work for the old connection
        must not complete after that of the newer one.
        """
        work = asyncio.ensure_future(self.dispatch(message))
        try:
            while (
                not work.done()
                and self.close_code is None
                and len(self._messages_ahead) < MAX_READ_AHEAD
            ):
                self._receiving = self._receiving or asyncio.ensure_future(receive())
                await asyncio.wait((work, self._receiving), return_when=asyncio.FIRST_COMPLETED)
                if self._receiving.done():
                    self._read_ahead(self._receiving.result())
                    self._receiving = None
            await work
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait((work,))
            raise

    def _read_ahead(self, message: Mapping[str, Any]) -> None:
        self._messages_ahead.append(message)
        if message["type"] == "websocket.disconnect":
            self.close_code = self.close_code or message.get("code") or close_codes.GOING_AWAY

    async def dispatch(self, message: Mapping[str, Any]) -> None:
        """Handle one of the three ASGI messages. No text of a client names a method."""
        match message["type"]:
            case "websocket.connect":
                await self.base_send({"type": "websocket.accept"})
                await self.on_connect()
            case "websocket.receive" if self.close_code is None:
                text = message.get("text")
                await self.on_message(message.get("bytes") if text is None else text)
            case "websocket.disconnect":
                self.close_code = self.close_code or message.get("code") or close_codes.GOING_AWAY
                raise StopConsumer

    async def reject(self, receive: Callable[[], Awaitable[Any]]) -> None:
        """Refuse a socket beyond the limit of its address, by accepting and closing it.

        A refused handshake would reach the page as a code without meaning.
        """
        await receive()
        self.close_code = close_codes.FLOODING
        await self.base_send({"type": "websocket.accept"})
        await self.base_send({"type": "websocket.close", "code": self.close_code})

    @property
    def log_context(self) -> dict[str, str]:
        """Context for the log. `page` names the page load, and so both of its sockets."""
        known = {
            "page": self.id,
            "socket": self.endpoint_name,
            "connection": self.connection_id,
            "address": self.address,
        }
        return {name: value for name, value in known.items() if value}

    def log_error(self, error: Exception) -> str:
        """Log a server error, and return the reference by which a user can name it."""
        reference = self.id or self.connection_id
        about = {**self.log_context, "reference": reference}
        if isinstance(error, Unavailable):
            log.warning("unavailable: %s", error, extra=about)
        else:
            log.error("server error", extra=about, exc_info=error)
        return reference

    @property
    def is_open(self) -> bool:
        """Whether the connection is neither closed nor closing."""
        return self.close_code is None

    @property
    def transport(self) -> str:
        """The transport: "websocket", or the one that the scope names."""
        transport: str = self.scope.get("noom.transport", "websocket")
        return transport

    @property
    def backlog_bytes(self) -> int:
        """Bytes that wait to be sent, here and, where it is known, in the server."""
        unsent = self.scope.get("extensions", {}).get(UNSENT_BYTES)
        return self._waiting_bytes + (unsent() if unsent else 0)

    @property
    def may_take_long(self) -> bool:
        """Whether the message may be served for long, while the page may go away."""
        return False

    async def on_connect(self) -> None:
        """Called when the connection is open."""

    async def on_message(self, frame: str | bytes | None) -> None:
        """Called for each frame."""

    async def on_disconnect(self) -> None:
        """Called after the socket has ended, however it ended."""

    def send_frame(self, frame: Frame) -> None:
        """Send a frame, after those before it."""
        if self.close_code is not None:
            return
        if self._write_frame is not None:
            self._write_frame(frame.wire)
            return
        self._frames.append(frame)
        self._waiting_bytes += len(frame.payload)
        # The first frame is on its way, so a long answer makes no slow reader.
        if self._waiting_bytes - len(self._frames[0].payload) > MAX_BACKLOG_BYTES:
            self.close(close_codes.TOO_SLOW)
        elif self._sender is None:
            self._sender = asyncio.create_task(self._send_frames())

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection with a code, after the frames that wait."""
        if self.close_code is not None:
            return
        self.close_code, self._close_reason = code, reason
        if code == close_codes.TOO_SLOW:
            self._frames.clear()
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_frames())

    def _fail(self, error: Exception) -> None:
        """Log a failure of this connection and close it."""
        self.log_error(error)
        counts.errors["server_error"] += 1
        self.close(close_codes.SERVER_ERROR)

    def _log_close(self) -> None:
        code = self.close_code or close_codes.GOING_AWAY
        counts.closes[code] += 1
        seconds = round(time.monotonic() - self._opened_at, 1)
        log.info("closed", extra={**self.log_context, "code": code, "seconds": seconds})

    async def _send_frames(self) -> None:
        try:
            while self._frames:
                frame = self._frames.popleft()
                self._waiting_bytes -= len(frame.payload)
                await self.base_send({"type": "websocket.send", "text": frame.text})
            if self.close_code is not None:
                close = {"type": "websocket.close", "code": self.close_code}
                await self.base_send({**close, "reason": self._close_reason})
        except Exception:  # the peer is gone; the server reports the end, which calls `gone`
            log.debug("sending to %s failed", self.connection_id, exc_info=True)
        finally:
            self._sender = None
