"""A socket over HTTP to Noom's ASGI application, without a server in between."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote

from noom_project.asgi import application
from tests.support.clients.http_protocol import HttpSession, Refused
from tests.support.clients.protocol_client import ProtocolClient


class HttpClient(ProtocolClient):
    """A page's HTTP session in the process of the test; `line` carries it."""

    line: HttpSession

    def __init__(
        self,
        path: str,
        *,
        token: str | None = None,
        browser: str = "browser",
        headers: tuple[tuple[bytes, bytes], ...] = (),
        origin: bytes | None = b"http://localhost:8000",
        address: str = "192.0.2.1",
        stream: bool = True,
        query: bytes = b"",
    ) -> None:
        super().__init__(path, token, browser)
        self.path = path.replace("/ws/", "/http/", 1)
        own = [(b"host", b"localhost:8000")] + ([(b"origin", origin)] if origin else [])
        self._headers = [*own, *headers]
        self._address, self._query = address, query
        self._stream = stream

    async def open(self) -> None:
        """Open the session.

        Raises ConnectionRefusedError.
        """
        self.line = HttpSession(self.exchange, self._take, self._over, stream=self._stream)
        try:
            await self.line.open()
        except Refused as error:
            raise ConnectionRefusedError(*error.args) from error

    async def send_raw(self, text: str | None = None, *, binary: bytes | None = None) -> None:
        await self.line.send((text or "").encode() or binary or b"")

    async def close(self, code: int = 1000) -> None:
        """Close the session; with code 1006, send no goodbye."""
        if code == 1006:
            await self.line.fall_silent()
        else:
            await self.line.close(code)

    async def exchange(self, body: bytes, *, method: str = "POST") -> AsyncGenerator[int | bytes]:
        """Return a request for the socket's address."""
        answers: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        asked.put_nowait({"type": "http.request", "body": body})
        task = asyncio.create_task(application(self._scope(method), asked.get, answers.put))
        task.add_done_callback(lambda _: answers.put_nowait(None))
        try:
            while (message := await answers.get()) is not None:
                if message["type"] == "http.response.start":
                    yield int(message["status"])
                elif message.get("body"):
                    yield bytes(message["body"])
        finally:
            asked.put_nowait({"type": "http.disconnect"})
            await task

    async def _over(self, code: int, reason: str) -> None:
        await self._end(code)

    def _scope(self, method: str) -> dict[str, Any]:
        return {
            "type": "http",
            "method": method,
            "path": self.path,
            "raw_path": quote(self.path).encode(),
            "query_string": self._query,
            "scheme": "http",
            "headers": self._headers,
            "client": [self._address, 40_000],
        }
