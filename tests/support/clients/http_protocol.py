"""A page's side of a socket over HTTP, independent of what carries its requests.

It follows static/js/transport/http-socket.js.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

RETRY_S = 0.1
PATIENCE_S = 8.0
ACKNOWLEDGE_FRAMES = 20
ACKNOWLEDGE_S = 4.0

# Sends a body there; yields the status of the answer, then its parts as they arrive.
Request = Callable[[bytes], AsyncGenerator[int | bytes]]


class Refused(Exception):
    """An answer other than the expected one."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class HttpSession:
    """One session: sends frames, and reports received frames and the end."""

    def __init__(
        self,
        request: Request,
        on_frame: Callable[[str], Awaitable[None]],
        on_close: Callable[[int, str], Awaitable[None]],
        *,
        stream: bool = True,
    ) -> None:
        self.request, self.on_frame, self.on_close = request, on_frame, on_close
        self.stream = stream
        self.session = ""
        self.after = self.turn = 0
        self.number = 1
        self.is_over = False
        self._sending = asyncio.Lock()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listener: asyncio.Task[None] | None = None
        self._said_after, self._said_at = 0, 0.0

    async def open(self) -> None:
        """Open the session, and listen.

        Raises Refused or OSError.
        """
        self.listen()
        await self._opened

    def listen(self) -> None:
        """Start to listen, or listen again."""
        self._listener = asyncio.create_task(self._listen())

    async def send(self, *frames: bytes) -> None:
        """Send frames in one request, and repeat it until the server answers."""
        async with self._sending:
            head = self.sending(self.number)
            self.number += len(frames)
            async with asyncio.timeout(PATIENCE_S):
                while not self.is_over and not await self._is_sent(head, *frames):  # noqa: ASYNC110
                    await asyncio.sleep(RETRY_S)

    async def close(self, code: int = 1000) -> None:
        """Say goodbye, unless the session is over."""
        if self.session and not self.is_over:
            self.is_over = True
            head = {"do": "close", "session": self.session, "number": self.number, "code": code}
            with suppress(OSError):
                await self.post(head)
        await self.fall_silent()

    async def fall_silent(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    async def post(self, head: dict[str, Any], *frames: bytes) -> int:
        """Send these frames, read the answer to its end, and return its status."""
        async with aclosing(
            self.request(b"\n".join([json.dumps(head).encode(), *frames]))
        ) as answer:
            status = int(str(await anext(answer)))
            async for _ in answer:
                pass
        return status

    def sending(self, number: int) -> dict[str, Any]:
        """Return the head of a request that sends."""
        return {"do": "send", "session": self.session, "number": number, "after": self.after}

    def listening(self, *, stream: bool) -> dict[str, Any]:
        """Return the head of a request that listens."""
        self.turn += 1
        head = {"do": "listen", "session": self.session, "turn": self.turn, "after": self.after}
        return {**head, "stream": stream}

    async def _is_sent(self, head: dict[str, Any], *frames: bytes) -> bool:
        try:
            status = await self.post(head, *frames)
        except (OSError, EOFError):
            return False
        if status in (400, 413):
            await self._end(4400)
        return status in (204, 400, 410, 413)

    async def _listen(self) -> None:
        opening = {"do": "open", "stream": self.stream}
        now = asyncio.get_running_loop().time
        failing_since = 0.0
        while not self.is_over:
            head = self.listening(stream=self.stream) if self.session else opening
            try:
                await self._hear(head)
                failing_since = 0.0
            except (OSError, EOFError, Refused) as error:
                if not self._opened.done():
                    self._opened.set_exception(error)
                    return
                gone = isinstance(error, Refused) and error.status == 410
                if gone or (failing_since and now() - failing_since > PATIENCE_S):
                    await self._end(1006)
                    return
                await asyncio.sleep(RETRY_S if failing_since else 0)
                failing_since = failing_since or now()

    async def _hear(self, head: dict[str, Any]) -> None:
        async with aclosing(self.request(json.dumps(head).encode())) as answer:
            status = int(str(await anext(answer)))
            if status != 200:
                raise Refused(status)
            text = b""
            async for part in answer:
                assert isinstance(part, bytes)
                *events, text = (text + part).split(b"\n\n")
                for event in events:
                    await self._event(event.decode())

    async def _event(self, text: str) -> None:
        fields = dict(line.split(": ", 1) for line in text.split("\n") if not line.startswith(":"))
        if fields.get("event") == "open":
            self.session = json.loads(fields["data"])["session"]
            self._opened.set_result(None)
        elif fields.get("event") == "close":
            close = json.loads(fields["data"])
            await self._end(close["code"], close["reason"])
        elif "id" in fields and int(fields["id"]) > self.after:
            assert int(fields["id"]) == self.after + 1, "a frame was left out"
            self.after += 1
            await self.on_frame(fields["data"])
        await self._acknowledge()

    async def _acknowledge(self) -> None:
        """Confirm regularly that the page still reads one long answer."""
        now = asyncio.get_running_loop().time()
        is_due = now - self._said_at > ACKNOWLEDGE_S
        if not self.stream or self.is_over or not self.session:
            return
        if is_due or self.after - self._said_after >= ACKNOWLEDGE_FRAMES:
            self._said_after, self._said_at = self.after, now
            with suppress(OSError, EOFError):
                await self.post(self.sending(self.number))

    async def _end(self, code: int, reason: str = "") -> None:
        if not self.is_over:
            self.is_over = True
            await self.on_close(code, reason)
