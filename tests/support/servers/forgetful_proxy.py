"""A proxy whose connections die without a word, as at a host that loses power."""

import asyncio
import contextlib

from tests.support.servers.tcp_server import CHUNK, Streams, TcpServer, first_of


class Forgetful(TcpServer):
    """A proxy that passes TCP connections on to a port.

    `forget` leaves all present connections open and silent: the proxy acknowledges what arrives and
    drops it. Later connections reach the server, as if it ran at another host now.
    """

    def __init__(self, target: int) -> None:
        super().__init__()
        self.forgotten = 0  # connections that were forgotten
        self._target = target
        self._age = 0
        self._open = 0

    def forget(self) -> None:
        """Simulate the loss of the host behind all present connections."""
        self._age, self.forgotten = self._age + 1, self._open

    async def handle(self, client: Streams) -> None:
        server = await self.connect("127.0.0.1", self._target)
        self._open += 1
        try:
            await first_of(
                asyncio.create_task(self._pass_on(client[0], server[1])),
                asyncio.create_task(self._pass_on(server[0], client[1])),
            )
        finally:
            self._open -= 1
            for _, writer in (client, server):
                writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        age = self._age
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if age == self._age:
                    writer.write(chunk)
                    await writer.drain()
        if age != self._age:
            await asyncio.Event().wait()  # the proxy does not pass its end on either
