"""A TCP proxy that parses WebSocket frames, and delays, doubles and holds them."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from tests.support.servers.tcp_server import end_accepting

TEXT, CLOSE = 1, 8
# The protocol sends the first messages once; a WebSocket doubles nothing.
ONCE = {"enter_room", "join_room"}


class Frame(NamedTuple):
    """One frame (RFC 6455, 5.2), as it was sent, and the payload of a text frame."""

    opcode: int
    raw: bytes
    text: str

    @property
    def type(self) -> str:
        """Return the type of a page's message."""
        return str(json.loads(self.text)["type"]) if self.text else ""


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Hold = Callable[[str, Frame], Awaitable[None]]


class SignalProxy:
    """A proxy at `url` that hands pages to the first server that answers.

    `late_s`: each frame for a page is late by up to so many seconds, and frames of one socket keep
    their order, so that the order between two sockets is lost. `doubled`: the share of frames, both
    ways, that the proxy sends twice. The proxy awaits `hold(path, frame)` before it sends a page's
    frame on.
    """

    def __init__(
        self, ports: list[int], *, late_s: float = 0, doubled: float = 0, hold: Hold | None = None
    ) -> None:
        self.ports, self.late_s, self.doubled, self.hold = ports, late_s, doubled, hold
        self.random = random.Random(18)
        self.frames = self.doubles = 0
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        await end_accepting(self._server)
        for to_page in self._open.values():
            to_page.transport.abort()
        await asyncio.gather(*self._open)

    async def _serve(self, page: asyncio.StreamReader, to_page: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open[task] = to_page
        try:
            with suppress(OSError, EOFError):
                head = await page.readuntil(b"\r\n\r\n")
                server, to_server = await self._connect()
                try:
                    await self._exchange(head, (page, to_page), (server, to_server))
                finally:
                    to_server.close()
        finally:
            to_page.close()
            del self._open[task]

    async def _exchange(self, head: bytes, page: Streams, server: Streams) -> None:
        server[1].write(head)
        if b"upgrade: websocket" in head.lower():
            page[1].write(await server[0].readuntil(b"\r\n\r\n"))
            path = head.split(b" ", 2)[1].decode()
            ways = [self._up(path, page[0], server[1]), self._down(server[0], page[1])]
        else:
            ways = [copy(page[0], server[1]), copy(server[0], page[1])]
        await first_of(ways)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for port in self.ports:
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        raise ConnectionRefusedError

    async def _up(
        self, path: str, page: asyncio.StreamReader, to_server: asyncio.StreamWriter
    ) -> None:
        async for frame in frames(page):
            if self.hold and frame.text:
                await self.hold(path, frame)
            times = 1 if frame.type in ONCE else self._times(frame)
            to_server.write(frame.raw * times)
            await to_server.drain()

    async def _down(self, server: asyncio.StreamReader, to_page: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()

        async def deliver() -> None:
            while (entry := await waiting.get()) is not None:
                due, raw = entry
                await asyncio.sleep(due - loop.time())
                to_page.write(raw)
                await to_page.drain()

        delivering = asyncio.create_task(deliver())
        try:
            async for frame in frames(server):
                due = loop.time() + self.random.uniform(0, self.late_s)
                waiting.put_nowait((due, frame.raw * self._times(frame)))
            waiting.put_nowait(None)
            await delivering
        finally:
            delivering.cancel()

    def _times(self, frame: Frame) -> int:
        doubled = frame.opcode == TEXT and self.random.random() < self.doubled
        self.frames += 1
        self.doubles += doubled
        return 1 + doubled


async def frames(reader: asyncio.StreamReader) -> AsyncIterator[Frame]:
    """Yield the frames of one direction of a WebSocket, until it ends."""
    while True:
        try:
            head = await reader.readexactly(2)
        except asyncio.IncompleteReadError:
            return
        opcode, masked, length = head[0] & 0x0F, head[1] & 0x80, head[1] & 0x7F
        long = await reader.readexactly({126: 2, 127: 8}.get(length, 0))
        size = int.from_bytes(long, "big") if long else length
        mask = await reader.readexactly(4 if masked else 0)
        body = await reader.readexactly(size)
        text = unmasked(body, mask).decode() if opcode == TEXT else ""
        yield Frame(opcode, head + long + mask + body, text)
        if opcode == CLOSE:
            return


def unmasked(body: bytes, mask: bytes) -> bytes:
    if not mask:
        return body
    key = (mask * (len(body) // 4 + 1))[: len(body)]
    whole = int.from_bytes(body, "big") ^ int.from_bytes(key, "big")
    return whole.to_bytes(len(body), "big")


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(64 * 1024):
        writer.write(data)
        await writer.drain()


async def first_of(ways: Sequence[Awaitable[None]]) -> None:
    """Wait until one direction has ended, then end the other."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


def room_of(path: str) -> str:
    found = re.match(r"/ws/(?:chat|call)/([^/?]+)/", path)
    return found[1] if found else ""
