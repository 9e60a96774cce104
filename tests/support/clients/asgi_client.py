"""A socket to Noom's ASGI application, without a server in between."""

import asyncio
from typing import Any
from urllib.parse import quote

from channels.testing import WebsocketCommunicator

from chat.realtime.connection import WRITE_FRAME
from noom_project.asgi import application
from tests.support.clients.protocol_client import DEADLINE_S, ProtocolClient
from tests.unit.test_frames import parsed


class Client(ProtocolClient):
    """A page's socket in the process of the test."""

    def __init__(
        self,
        path: str,
        *,
        token: str | None = None,
        browser: str = "browser",
        headers: tuple[tuple[bytes, bytes], ...] = (),
        origin: bytes | None = b"http://localhost:8000",
        address: str = "192.0.2.1",
        query: bytes = b"",
    ) -> None:
        super().__init__(path, token, browser)
        own = [(b"host", b"localhost:8000")] + ([(b"origin", origin)] if origin else [])
        self._socket = WebsocketCommunicator(application, quote(path), headers=[*own, *headers])
        self._socket.scope |= {"path": path, "query_string": query}
        self._socket.scope["client"] = [address, 40_000]
        self._open = False

    async def open(self) -> None:
        """Perform the handshake.

        Raises ConnectionRefusedError.
        """
        self._open, _ = await self._socket.connect(timeout=DEADLINE_S)
        if not self._open:
            raise ConnectionRefusedError
        self._reader = asyncio.create_task(self._read())

    async def send_raw(self, text: str | None = None, *, binary: bytes | None = None) -> None:
        await self._socket.send_input({"type": "websocket.receive", "text": text, "bytes": binary})

    async def close(self, code: int = 1000) -> None:
        """Close the socket without leaving the room."""
        if self._open:
            self._open = False
            self._reader.cancel()
            await self._socket.disconnect(code=code)

    async def _read(self) -> None:
        while self.close_code is None:
            message = await self._socket.output_queue.get()
            if message["type"] == "websocket.close":
                await self._end(message.get("code", 1000))
            else:
                await self._take(message["text"])


class DirectClient(Client):
    """A client at a server that takes the bytes of the wire (`connection.DIRECT`)."""

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(path, **options)
        self._socket.scope["extensions"] = {WRITE_FRAME: self._write}

    def _write(self, wire: bytes) -> None:
        # Keeps the order of frames that do not take the direct path.
        message = {"type": "websocket.send", "text": parsed(wire)[2].decode()}
        self._socket.output_queue.put_nowait(message)
