"""A TCP server of the tests with an event loop of its own, in a thread."""

import asyncio
import threading
from abc import ABC, abstractmethod
from asyncio import WriteTransport as Transport
from typing import Any, Self

from tests.support.patience import PATIENCE

CHUNK = 64 * 1024
START_S = STOP_S = 5.0 * PATIENCE
QUIET_TURNS = 10  # of the loop, in which an accepted connection shows itself
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Kept(asyncio.StreamReaderProtocol):
    """A stream that is registered from its first moment.

    A stream whose task is cancelled before it has run would otherwise stay open.
    """

    def __init__(self, transports: set[Transport], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._transports = transports

    def connection_made(self, transport: Any) -> None:
        self._own = transport
        self._transports.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._transports.discard(self._own)
        super().connection_lost(error)


class TcpServer(ABC):
    """A server of connections at `port` of 127.0.0.1; its exit ends all of them."""

    def __init__(self) -> None:
        self.port = 0
        self._transports: set[Transport] = set()  # open ones, of both ends of all connections
        self._serving: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(START_S), "the server in the middle did not start"
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)
        assert not self._thread.is_alive(), "the server in the middle did not end"

    @abstractmethod
    async def handle(self, client: Streams) -> None:
        """Serve one connection, which is closed on return."""

    async def connect(self, host: str | None, port: int | None) -> Streams:
        """Connect to a server; this server's thread ends the connection.

        Raises OSError.
        """
        assert host, "an address names its host"
        assert port, "and its port"
        protocol = _Kept(self._transports, reader := asyncio.StreamReader())
        transport, _ = await self._loop.create_connection(lambda: protocol, host, port)
        return reader, asyncio.StreamWriter(transport, protocol, reader, self._loop)

    def _accept(self) -> _Kept:
        return _Kept(self._transports, asyncio.StreamReader(), self._serve)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        starting = self._loop.create_server(self._accept, "127.0.0.1", 0)
        server = self._loop.run_until_complete(starting)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(end_accepting(server))
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        """End all connections, also those that were accepted a moment ago and begin later."""
        quiet = 0
        while quiet < QUIET_TURNS:
            await asyncio.sleep(0)
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            quiet = 0 if tasks or self._transports else quiet + 1
            # The loop also knows transports whose protocol has not heard of them yet. Nobody reads
            # their remaining bytes any more.
            for transport in {*self._transports, *self._loop._transports.values()}:  # type: ignore[attr-defined]
                transport.abort()
            # A task that has not begun would not close what it was made for.
            for task in self._serving:
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._serving.add(task)
        try:
            await self.handle((reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of them has ended
        finally:
            self._serving.discard(task)
            writer.close()


async def end_accepting(server: asyncio.Server) -> None:
    """Close a server once it has seen what it accepted a moment ago.

    asyncio forgets a connection, and leaves its socket open, whose server closes between the two.
    """
    for listener in server.sockets:
        asyncio.get_running_loop().remove_reader(listener.fileno())
    for _ in range(QUIET_TURNS):
        await asyncio.sleep(0)
    server.close()


async def first_of(*ways: "asyncio.Task[None]") -> None:
    """Wait until one direction has ended, then end the other."""
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
