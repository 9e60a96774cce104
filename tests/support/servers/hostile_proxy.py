"""A proxy as in some networks: it refuses WebSockets, or holds answers back."""

import asyncio
import itertools
from collections.abc import Sequence
from urllib.parse import urlsplit

from tests.support.servers.tcp_server import CHUNK, Streams, TcpServer, first_of


class Proxy(TcpServer):
    """A proxy that hands each request to the next server that answers.

    So no session sticks to one server. `upgrades`: "pass", "refuse" (403), or "drop" (the header
    does not get through, as at a proxy that speaks HTTP/1.0 to its backend). `holds_back`: the
    proxy passes an answer on once it is complete. `loses`: of so many answers, the proxy reads one
    and drops it.
    """

    def __init__(self, *servers: str, upgrades: str = "refuse") -> None:
        super().__init__()
        self.servers: Sequence[str] = servers
        self.upgrades = upgrades
        self.holds_back = False
        self.loses = 0
        self.handshakes = self.requests = 0  # that arrived
        # fallbacks: requests that stand in for a WebSocket
        self.open_websockets = self.open_fallbacks = 0
        self._turn = itertools.count()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, client: Streams) -> None:
        """Serve one request a connection, which is simple and still correct."""
        reader, writer = client
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        names = [line.partition(":")[0].lower() for line in head]
        is_upgrade = "upgrade" in names
        self.handshakes += is_upgrade
        self.requests += not is_upgrade
        if is_upgrade and self.upgrades == "refuse":
            writer.write(
                b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        passes = is_upgrade and self.upgrades == "pass"
        if not passes:
            hop = ("connection", "upgrade", "keep-alive")
            head = [line for line, name in zip(head, names, strict=True) if name not in hop]
            head.append("Connection: close")
        server = await self._next_server()
        if server is None:
            writer.write(
                b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        server[1].write("\r\n".join([*head, "", ""]).encode("latin-1"))
        is_fallback = head[0].startswith("POST /http/")
        self.open_websockets += passes
        self.open_fallbacks += is_fallback
        try:
            await self._exchange(client, server, self.holds_back and not passes)
        finally:
            self.open_websockets -= passes
            self.open_fallbacks -= is_fallback

    async def _next_server(self) -> Streams | None:
        for _ in self.servers:
            target = urlsplit(self.servers[next(self._turn) % len(self.servers)])
            try:
                return await self.connect(target.hostname, target.port)
            except OSError:
                continue
        return None

    async def _exchange(self, client: Streams, server: Streams, holds_back: bool) -> None:
        up = asyncio.create_task(_pump(client[0], server[1]))
        is_lost = self.loses > 0 and self.requests % self.loses == 0
        gathers = holds_back or is_lost
        answer = _gather(server[0], client[1], is_lost) if gathers else _pump(server[0], client[1])
        down = asyncio.create_task(answer)
        try:
            await first_of(up, down)
        finally:
            server[1].close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(CHUNK):
        writer.write(part)
        await writer.drain()


async def _gather(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_lost: bool
) -> None:
    whole = await reader.read()
    if not is_lost:
        writer.write(whole)
        await writer.drain()
