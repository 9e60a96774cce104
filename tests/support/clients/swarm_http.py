"""The swarm's connections over HTTP.

A session is used as call/bot/socket.py uses a WebSocket.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosedError

from tests.support.clients.http_protocol import HttpSession, Refused
from tests.support.clients.http_socket import Http


class Connection:
    """The part of a `websockets` connection that a line needs."""

    close_code: int | None = None
    close_reason: str | None = None

    def __init__(self, url: str, path: str, *, address: str | None, stream: bool) -> None:
        http = Http(url, path, address=address or "")
        self._line = HttpSession(http.request, self._take, self._end, stream=stream)
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()

    async def open(self) -> None:
        """Open the session.

        Raises OSError.
        """
        try:
            await self._line.open()
        except (EOFError, Refused) as error:
            raise ConnectionRefusedError(*error.args) from error

    async def send(self, frame: str) -> None:
        """Send a frame.

        Raises ConnectionClosed.
        """
        if self._line.is_over:
            raise ConnectionClosedError(None, None)
        await self._line.send(frame.encode())

    async def recv(self) -> str:
        """Return the next frame.

        Raises ConnectionClosed.
        """
        frame = await self._frames.get()
        if frame is None:
            raise ConnectionClosedError(None, None)
        return frame

    async def close(self) -> None:
        await self._line.close()

    async def _take(self, frame: str) -> None:
        self._frames.put_nowait(frame)

    async def _end(self, code: int, reason: str) -> None:
        self.close_code, self.close_reason = code, reason
        self._frames.put_nowait(None)


def connecting(*, stream: bool) -> Any:
    """Return a replacement for a line's `_connect`."""

    async def connect(line: Any, **options: object) -> Connection:
        path = urlsplit(line._address).path
        found = Connection(line._origin, path, address=line.address, stream=stream)
        await found.open()
        return found

    return connect
