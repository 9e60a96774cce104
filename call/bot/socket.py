"""A WebSocket client that reconnects, as static/js/transport/socket.js does."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Origin

from chat.protocol import close_codes
from chat.protocol.codec import Endpoint
from chat.protocol.messages import BeatEvent, WireType

OPEN_TIMEOUT_S = ANSWER_TIMEOUT_S = 10.0
BEATS, SPARE_S = 2, 2.0  # a socket is dead after so many beats and seconds of silence
MIN_JITTER_S, MAX_JITTER_S = 1.0, 10.0
REFUSED_DELAY_S = 1.0
CLOSE_TIMEOUT_S = 1.0
MAX_EVENTS_BYTES = 4 * 1024 * 1024

TRANSIENT_REFUSALS = {"not_in_room", "too_fast", "try_later"}

Answered = TypeVar("Answered", bound=WireType)


class Unreachable(Exception):
    """There is no Noom at an address, or the connection to it is lost."""


class RequestRefused(Exception):
    """A refusal of the server; docs/protocol.md lists each `code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.is_transient = code in TRANSIENT_REFUSALS


class _Frame(Struct, frozen=True):
    type: str
    payload: Raw
    ref: int | None = None


class _Error(Struct, frozen=True):
    code: str
    message: str


_decoder = msgspec.json.Decoder(_Frame | list[_Frame])
_encoder = msgspec.json.Encoder()


class SocketClient:
    """A socket of a room, from `start` to `stop`.

    `on_welcome` receives each answer to `hello`.
    """

    def __init__(
        self,
        url: str,
        path: str,
        protocol: Endpoint,
        *,
        hello: Callable[[], WireType],
        on_welcome: Callable[[Any], None],
        on_event: Callable[[WireType], None],
    ) -> None:
        parts = urlsplit(url)
        self._origin = Origin(f"{parts.scheme}://{parts.netloc}")
        self._address = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}{path}"
        self._protocol, self._hello = protocol, hello
        self._on_welcome, self._on_event = on_welcome, on_event
        self._events = {kind.type: msgspec.json.Decoder(kind) for kind in protocol.sends}
        self._socket: ClientConnection | None = None
        self._awaited: dict[int, tuple[type[WireType], asyncio.Future[Any]]] = {}
        self._last_ref = 0
        self._connection = 0
        self._return_within_s = 0.0  # of the last beat
        self._silence_s = ANSWER_TIMEOUT_S  # until the first answer says how often beats come
        self._task: asyncio.Task[RequestRefused] | None = None
        self.open = asyncio.Event()

    async def start(self) -> None:
        """Connect, and wait for the answer to `hello`.

        Raises Unreachable or Refused.
        """
        self._task = asyncio.create_task(self._live(await self._enter()))

    async def ended(self) -> RequestRefused:
        """Wait for a close that forbids a return, and return why."""
        if self._task is None:
            raise Unreachable("The line was never opened.")
        return await asyncio.shield(self._task)

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._hang_up()

    async def request(self, message: WireType, answer: type[Answered]) -> Answered:
        """Send a message and return its answer.

        Raises Refused, or Unreachable if no answer came.
        """
        if self._socket is None:
            raise Unreachable("The line is down.")
        self._last_ref = ref = self._last_ref + 1
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._awaited[ref] = (answer, future)
        try:
            await self._socket.send(_encode(message, ref))
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await future
        except (ConnectionClosed, TimeoutError) as error:
            raise Unreachable("No answer came.") from error
        finally:
            del self._awaited[ref]

    async def post(self, message: WireType) -> None:
        """Send a message that needs no answer; drop it while disconnected."""
        if self._socket:
            with suppress(ConnectionClosed):
                await self._socket.send(_encode(message))

    async def _enter(self) -> ClientConnection:
        """Connect and send `hello`."""
        try:
            socket = self._socket = await self._connect()
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise Unreachable(f"{self._address}: {error}") from error
        hello = msgspec.structs.replace(self._hello(), connection=self._next_connection())
        try:
            while (frame := await self._say(socket, hello)).type == "error":
                refusal = msgspec.json.decode(frame.payload, type=_Error)
                if refusal.code not in TRANSIENT_REFUSALS:
                    raise RequestRefused(refusal.code, refusal.message)
                await asyncio.sleep(REFUSED_DELAY_S)
        except BaseException:
            await self._hang_up()
            raise
        kind = self._protocol.accepts[type(hello)]
        answer: Any = msgspec.json.decode(frame.payload, type=kind)
        self._silence_s = BEATS * answer.timing.beat_s + SPARE_S
        self._on_welcome(answer)
        self.open.set()
        return socket

    def _next_connection(self) -> int:
        """The number of a new connection, larger than that of any before.

        The clock puts it above the numbers of another program that had the token.
        """
        self._connection = max(self._connection + 1, int(time.time() * 1000))
        return self._connection

    async def _connect(self, **options: Any) -> ClientConnection:
        """Open a socket.

        `options` are those of `websockets.connect`, and so are the errors.
        """
        return await connect(
            self._address,
            origin=self._origin,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,
            max_size=MAX_EVENTS_BYTES,
            **options,
        )

    async def _say(self, socket: ClientConnection, hello: WireType) -> _Frame:
        """Send `hello`, and return the first frame, which is its answer."""
        try:
            await socket.send(_encode(hello, 0))
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                frame: _Frame | list[_Frame] = _decoder.decode(await socket.recv())
        except (ConnectionClosed, TimeoutError) as error:
            raise Unreachable(f"{self._address}: {error or 'no answer'}") from error
        if isinstance(frame, list):
            raise Unreachable(f"{self._address}: events before an answer")
        return frame

    async def _live(self, socket: ClientConnection) -> RequestRefused:
        """Read, and reconnect after each loss, until a close forbids it."""
        while True:
            await self._read(socket)
            code, reason = socket.close_code, socket.close_reason or ""
            await self._hang_up()
            if code in close_codes.FINAL:
                return RequestRefused(
                    str(code), reason or f"The server closed the line with {code}."
                )
            try:
                socket = await self._come_back(code, reason)
            except RequestRefused as refusal:
                return refusal

    async def _come_back(self, code: int | None, reason: str) -> ClientConnection:
        attempt = 0
        while True:
            await asyncio.sleep(_wait_s(code, reason, attempt, self._return_within_s))
            try:
                return await self._enter()
            except Unreachable:
                code, attempt = None, attempt + 1

    async def _read(self, socket: ClientConnection) -> None:
        """Handle frames until the connection is lost."""
        with suppress(ConnectionClosed, TimeoutError):
            while True:
                async with asyncio.timeout(self._silence_s):
                    frames = _decoder.decode(await socket.recv())
                for frame in frames if isinstance(frames, list) else [frames]:
                    self._take(frame)

    def _take(self, frame: _Frame) -> None:
        if frame.ref is None:
            # A newer server may send unknown events, which docs/protocol.md says to ignore.
            if (decoder := self._events.get(frame.type)) is None:
                return
            event = decoder.decode(frame.payload)
            if isinstance(event, BeatEvent):
                self._return_within_s = event.return_within_ms / 1000
            self._on_event(event)
            return
        kind, future = self._awaited.get(frame.ref, (WireType, None))
        if future is None or future.done():
            return
        if frame.type == "error":
            refusal = msgspec.json.decode(frame.payload, type=_Error)
            future.set_exception(RequestRefused(refusal.code, refusal.message))
        else:
            future.set_result(msgspec.json.decode(frame.payload, type=kind))

    async def _hang_up(self) -> None:
        self.open.clear()
        socket, self._socket = self._socket, None
        for _, future in self._awaited.values():
            if not future.done():
                future.set_exception(Unreachable("The line was lost."))
        if socket:
            await socket.close()


def _encode(message: WireType, ref: int | None = None) -> str:
    frame: dict[str, Any] = {"type": message.type, "payload": message}
    return _encoder.encode(frame if ref is None else frame | {"ref": ref}).decode()


def _wait_s(code: int | None, reason: str, attempt: int, within_s: float) -> float:
    """The time before a reconnect, with full jitter.

    A thousand clients that lose one server must not come back in one moment.
    """
    close = close_codes.CLOSES.get(code or 0)
    least = close.after_ms / 1000 if close else 0.0
    most = min(max(MIN_JITTER_S, within_s) * 2**attempt, MAX_JITTER_S)
    if close and close.reason_is_jitter_ms and reason.isdecimal():
        most = int(reason) / 1000
    return least + random.uniform(0, most)  # noqa: S311 - spreads, hides nothing
