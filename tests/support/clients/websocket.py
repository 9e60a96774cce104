"""A socket over a real connection to a real server process."""

import asyncio
import ssl
from typing import Self
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.support.clients.protocol_client import ProtocolClient, Refusal

AGAIN_S = 0.5


class Wire(ProtocolClient):
    """A page's socket; `async with` opens and closes it."""

    _line: ClientConnection
    _reader: asyncio.Task[None]

    def __init__(
        self,
        url: str,
        path: str,
        *,
        token: str | None = None,
        browser: str = "browser",
        address: str = "127.0.0.1",
    ) -> None:
        super().__init__(path, token, browser)
        self._address = address
        self._origin = url
        self._url = url.replace("http", "ws", 1) + quote(path)

    async def __aenter__(self) -> Self:
        self._line = await connect(
            self._url,
            origin=Origin(self._origin),
            max_size=None,
            local_addr=(self._address, 0),
            ssl=unverified(self._origin),
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._line.close()
        await self._reader

    async def enter(self, nickname: str, **more: object) -> None:
        """Enter the room of a chat socket; the answer is `.hello`.

        Like a page, it tries again while a slow machine admits too few at once.
        """
        while True:
            try:
                self.hello = await self.request(
                    "enter_room", token=self.token, nickname=nickname, **more
                )
                return
            except Refusal as refusal:
                if "Too many" not in str(refusal):
                    raise
                await asyncio.sleep(AGAIN_S)

    async def join(self, session: str = "one") -> None:
        """Join the call of a call socket; the answer is `.hello`."""
        self.hello = await self.request("join_room", **self.joining(session))

    async def send_raw(self, text: str | None = None, *, binary: bytes | None = None) -> None:
        await self._line.send(text if binary is None else binary)  # type: ignore[arg-type]

    async def ping(self) -> None:
        """Return when the server has answered a WebSocket ping."""
        await (await self._line.ping())

    def vanish(self) -> None:
        """Lose the connection without a close, like a pulled cable."""
        self._line.transport.abort()

    async def _read(self) -> None:
        try:
            while True:
                await self._take(str(await self._line.recv()))
        except ConnectionClosed as closed:
            await self._end(closed.rcvd.code if closed.rcvd else 1006)


def unverified(url: str) -> ssl.SSLContext | None:
    """Return a TLS context that trusts any certificate; None for plain http."""
    if not url.startswith("https:"):
        return None
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
