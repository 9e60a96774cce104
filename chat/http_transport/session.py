"""A session: a WebSocket to its consumer, HTTP requests to its page."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct

from chat.http_transport import requests as wire
from chat.protocol import close_codes
from chat.realtime.rate_limits import TokenBucket

LONG_POLL_S = 5.0  # a request that waits so long for a frame is answered without one
NO_POLL_TIMEOUT_S = 5.0  # a session ends after so long without a request that listens
SILENCE_TIMEOUT_S = 12.0  # and without any request, even if a proxy holds one open
CLOSE_DELIVERY_TIMEOUT_S = 2.0  # a closed session waits so long for its page to receive the end
MAX_UNACKNOWLEDGED_BYTES = 1_000_000  # unacknowledged frames; more are TOO_SLOW
MAX_ANSWER_BYTES = 256_000  # of an answer; a larger frame goes alone
MAX_QUEUED_FRAMES = 1_000  # frames before their consumer takes them; more are FLOODING
MAX_QUEUED_BYTES = 2_000_000
REQUESTS_PER_S = 50.0

Application = Callable[[Mapping[str, Any], Any, Any], Awaitable[None]]


class SessionGone(Exception):
    """There is no such session, or it has ended."""


class Batch(Struct):
    """Events, the number of their last frame, and whether the answer ends there."""

    events: bytes = b""
    last: int = 0
    is_last: bool = False


class Session:
    """One session of one page.

    The consumer receives each frame of the page once and in order. Frames for the page are kept
    until it acknowledges them, so any request may be lost and repeated.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.accepted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.ended = False  # the consumer has received the disconnect
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._queued_bytes = 0
        self._expected = 1  # the number of the page's next frame
        self._unacknowledged: deque[tuple[int, bytes]] = deque()
        self._unacknowledged_bytes = 0
        self._last = 0  # the number of the last frame for the page
        self._closing: bytes | None = None
        self._code = close_codes.SILENT
        self._acknowledged = 0  # the number of the last frame that the page has
        self._turn = -1
        self._polling = False
        self._wakeup = asyncio.Event()
        self._requests = TokenBucket(REQUESTS_PER_S)
        self._last_request_at = self._polled_at = time.monotonic()
        self._queue.put_nowait({"type": "websocket.connect"})

    async def receive(self) -> dict[str, Any]:
        """Implement ASGI's `receive` for the consumer."""
        message = await self._queue.get()
        self._queued_bytes -= len(message.get("text", ""))
        return message

    async def send(self, message: Mapping[str, Any]) -> None:
        """Implement ASGI's `send` for the consumer."""
        match message["type"]:
            case "websocket.accept":
                self.accepted.set_result(True)
            case "websocket.send":
                self._buffer(message["text"])
            case "websocket.close" if not self.accepted.done():
                self.accepted.set_result(False)
            case "websocket.close":
                self._close(message.get("code") or close_codes.NORMAL, message.get("reason") or "")

    def receive_frames(self, number: int, frames: list[str]) -> None:
        """Hand the page's frames to the consumer, without those that came before.

        `number` is the number of the first frame.
        """
        self._touch()
        if frames and number > self._expected:
            self._close(close_codes.BROKEN_CLIENT)
        for frame in frames[max(self._expected - number, 0) :]:
            if self._closing is not None:
                return
            self._expected += 1
            self._queued_bytes += len(frame)
            if self._queue.qsize() >= MAX_QUEUED_FRAMES or self._queued_bytes > MAX_QUEUED_BYTES:
                self._close(close_codes.FLOODING)
            self._queue.put_nowait({"type": "websocket.receive", "text": frame})

    def acknowledge(self, after: int) -> None:
        """Forget the frames up to this number, which the page has."""
        if after > self._last:
            self._close(close_codes.BROKEN_CLIENT)
        self._acknowledged = max(self._acknowledged, after)
        while self._unacknowledged and self._unacknowledged[0][0] <= after:
            self._unacknowledged_bytes -= len(self._unacknowledged.popleft()[1])

    async def poll(self, turn: int, since: int) -> Batch:
        """Wait for frames after the number `since`; after LONG_POLL_S return a comment."""
        if turn > self._turn:  # otherwise a stream goes on, without a new request
            self._turn = turn
            self._touch()
            self._wake()
        if since < self._acknowledged:
            self._close(close_codes.BROKEN_CLIENT)
        self._polling = True
        try:
            return await self._next(turn, since)
        finally:
            if turn == self._turn:
                self._polling = False
                self._polled_at = time.monotonic()

    def end(self, code: int) -> None:
        """Disconnect the consumer: the page has gone, or has received the end."""
        if not self.ended:
            self.ended = True
            self._closing = self._closing or wire.closed(code, "")
            self._queue.put_nowait({"type": "websocket.disconnect", "code": code})
            self._wake()

    def check_timeouts(self) -> None:
        """End the session if its page has been silent for too long."""
        now = time.monotonic()
        patience = NO_POLL_TIMEOUT_S if self._closing is None else CLOSE_DELIVERY_TIMEOUT_S
        is_away = not self._polling and now - self._polled_at > patience
        if is_away or now - self._last_request_at > SILENCE_TIMEOUT_S:
            self.end(self._code)

    def fail(self) -> None:
        """Close the session after its consumer has ended without a close."""
        if not self.accepted.done():
            self.accepted.set_result(False)
        self._close(close_codes.SERVER_ERROR)

    def _touch(self) -> None:
        self._last_request_at = time.monotonic()
        if not self._requests.take() and self._requests.is_flooding:
            self._close(close_codes.FLOODING)

    def _buffer(self, frame: str) -> None:
        if self._closing is not None:
            return
        self._last += 1
        event = wire.numbered(self._last, frame)
        self._unacknowledged.append((self._last, event))
        self._unacknowledged_bytes += len(event)
        # The first is under way and does not count: one long answer makes no slow reader.
        if self._unacknowledged_bytes - len(self._unacknowledged[0][1]) > MAX_UNACKNOWLEDGED_BYTES:
            self._close(close_codes.TOO_SLOW)
        self._wake()

    def _close(self, code: int, reason: str = "") -> None:
        """Close the session once; its consumer learns of it after the page."""
        if self._closing is not None:
            return
        self._closing, self._code = wire.closed(code, reason), code
        if code == close_codes.TOO_SLOW:
            self._unacknowledged.clear()
        self._polled_at = time.monotonic()
        self._wake()

    async def _next(self, turn: int, since: int) -> Batch:
        deadline = time.monotonic() + LONG_POLL_S
        while turn == self._turn:
            batch, news = self._ready(since), self._wakeup
            left = deadline - time.monotonic()
            if batch is not None:
                return batch
            if left <= 0:
                return Batch(wire.SSE_COMMENT, since)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await news.wait()
        return Batch(last=since, is_last=True)  # a later request of the page listens now

    def _ready(self, since: int) -> Batch | None:
        """The frames after the number `since` that fit into one answer."""
        events: list[bytes] = []
        size, last, is_all = 0, since, True
        for number, event in self._unacknowledged:
            if number <= since:
                continue
            if events and size + len(event) > MAX_ANSWER_BYTES:
                is_all = False
                break
            events.append(event)
            size, last = size + len(event), number
        if self._closing is not None and is_all:
            self.end(self._code)
            return Batch(b"".join([*events, self._closing]), last, is_last=True)
        return Batch(b"".join(events), last) if events else None

    def _wake(self) -> None:
        self._wakeup.set()
        self._wakeup = asyncio.Event()
