"""A way to a server on which connections die without a word, as a host does that loses power."""

import asyncio
import contextlib

from tests.support.servers.tcp_middle import CHUNK, Middle, Streams, first_of


class Forgetful(Middle):
    """Passes TCP connections on to a port. `forget` leaves all that there are open and silent: what
    comes is acknowledged and thrown away. Later ones reach the server as if it were elsewhere now.
    """

    def __init__(self, target: int) -> None:
        super().__init__()
        self.forgotten = 0  # connections that were
        self._target = target
        self._age = 0
        self._open = 0

    def forget(self) -> None:
        """The host behind all present connections is no more."""
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
            await asyncio.Event().wait()  # its end is not passed on either
