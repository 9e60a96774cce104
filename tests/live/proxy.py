"""A proxy as some networks have it: it lets no WebSocket through, or holds answers back."""

import asyncio
import itertools
import threading
from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

from tests.patience import PATIENCE

CHUNK = 64 * 1024
START_S = 5.0 * PATIENCE
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """Hands each request to the next of the servers that answers, so no session sticks to one.

    `upgrades`: "pass", "refuse" (403), or "drop" (the header does not get through, as at a proxy
    that speaks HTTP/1.0 behind it); `holds_back`: an answer is passed on once it is complete;
    `loses`: of so many answers one is read and thrown away.
    """

    def __init__(self, *servers: str, upgrades: str = "refuse") -> None:
        self.servers: Sequence[str] = servers
        self.upgrades = upgrades
        self.holds_back = False
        self.loses = 0
        self.handshakes = self.requests = 0  # that came
        self.open_websockets = self.open_fallbacks = 0  # of those that stand for WebSockets
        self._writers: list[asyncio.StreamWriter] = []  # of all connections that there were
        self._turn = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(START_S), "the proxy did not start"
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0.1))  # who is at the door comes in first
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        for writer in self._writers:  # the test is over: nobody reads what is left
            writer.transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0.1))  # what is closed is so in a later turn
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            await self._request(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of them has gone
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection, which is simple and still right."""
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
        server = await self._connect()
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
            await self._exchange((reader, writer), server, self.holds_back and not passes)
        finally:
            self.open_websockets -= passes
            self.open_fallbacks -= is_fallback

    async def _connect(self) -> Streams | None:
        for _ in self.servers:
            target = urlsplit(self.servers[next(self._turn) % len(self.servers)])
            try:
                streams = await asyncio.open_connection(target.hostname, target.port)
            except OSError:
                continue
            self._writers.append(streams[1])
            return streams
        return None

    async def _exchange(self, client: Streams, server: Streams, holds_back: bool) -> None:
        up = asyncio.create_task(_pump(client[0], server[1]))
        is_lost = self.loses > 0 and self.requests % self.loses == 0
        gathers = holds_back or is_lost
        answer = _gather(server[0], client[1], is_lost) if gathers else _pump(server[0], client[1])
        down = asyncio.create_task(answer)
        try:
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
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
