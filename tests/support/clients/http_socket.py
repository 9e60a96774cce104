"""A socket over HTTP, by real connections to a real server or proxy."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Self
from urllib.parse import quote, urlsplit

from tests.support.clients.http_protocol import HttpSession
from tests.support.clients.protocol_client import ProtocolClient
from tests.support.clients.websocket import unverified

CHUNK = 64 * 1024


class HttpWire(ProtocolClient):
    """A page's session; `async with` opens and closes it. `line` carries it."""

    line: HttpSession

    def __init__(
        self, url: str, path: str, *, token: str | None = None, stream: bool = True
    ) -> None:
        super().__init__(path, token, "browser")
        self.http = Http(url, path)
        self._stream = stream

    async def __aenter__(self) -> Self:
        self.line = HttpSession(self.http.request, self._take, self._over, stream=self._stream)
        await self.line.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.line.close()

    async def enter(self, nickname: str, **more: object) -> None:
        """Enter the room of a chat socket; the answer is `.hello`."""
        self.hello = await self.request("enter_room", token=self.token, nickname=nickname, **more)

    async def join(self, session: str = "one") -> None:
        """Join the call of a call socket; the answer is `.hello`."""
        self.hello = await self.request("join_room", **self.joining(session))

    async def send_raw(self, text: str | None = None, *, binary: bytes | None = None) -> None:
        await self.line.send((text or "").encode() or binary or b"")

    async def _over(self, code: int, reason: str) -> None:
        await self._end(code)


class Http:
    """POST requests to the address that stands for a WebSocket's."""

    def __init__(self, url: str, path: str, *, address: str = "") -> None:
        self.url, self._address = url, address
        self._path = quote(path.replace("/ws/", "/http/", 1))

    async def request(self, body: bytes) -> AsyncGenerator[int | bytes]:
        """Yield the status of the answer, then its parts.

        Raises OSError, or EOFError if the connection ends early.
        """
        target = urlsplit(self.url)
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: {target.netloc}\r\nOrigin: {self.url}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        local = (self._address, 0) if self._address else None
        reader, writer = await asyncio.open_connection(
            target.hostname, target.port, local_addr=local, ssl=unverified(self.url)
        )
        try:
            writer.write(head.encode() + body)
            status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            yield int(status.split()[1])
            is_chunked = "transfer-encoding: chunked" in headers
            async for part in _chunks(reader) if is_chunked else _rest(reader):
                yield part
        finally:
            writer.close()


async def _chunks(reader: asyncio.StreamReader) -> AsyncGenerator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)


async def _rest(reader: asyncio.StreamReader) -> AsyncGenerator[bytes]:
    while part := await reader.read(CHUNK):
        yield part
