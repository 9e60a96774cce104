"""`python -m tests.support.servers.load_balancer PORT TARGET…`.

Hands connections to ports in turn.

It passes over a target that refuses, and connects from the client's own address, so that the
servers behind it tell its clients apart. It runs in a process of its own, so that its work costs
the swarm no time.
"""

import asyncio
import sys
from itertools import count

HOST = "127.0.0.1"
BACKLOG = 4_096


class Half(asyncio.Protocol):
    """One direction of a connection: `other` writes what this half reads."""

    transport: asyncio.Transport
    other: "Half | None" = None

    def __init__(self) -> None:
        self._early = bytearray()

    def join(self, other: "Half") -> None:
        """Pass everything on to another half, also what was read before."""
        self.other = other
        other.transport.write(bytes(self._early))
        self._early.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other:
            self.other.transport.write(data)
        else:  # Python 3.11.2 reads once although it was told to pause
            self._early += data

    def pause_writing(self) -> None:
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self.other:
            self.other.transport.close()


class Client(Half):
    """A client's end; it finds itself a server."""

    def __init__(self, targets: list[int], turns: "count[int]") -> None:
        super().__init__()
        self._targets, self._turns = targets, turns

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        address = self.transport.get_extra_info("peername")[0]
        first = next(self._turns)
        for offset in range(len(self._targets)):
            target = self._targets[(first + offset) % len(self._targets)]
            try:
                _, server = await asyncio.get_running_loop().create_connection(
                    Half, HOST, target, local_addr=(address, 0)
                )
            except OSError:
                continue
            self.join(server)
            server.join(self)
            if self.transport.is_closing():
                server.transport.close()
            else:
                self.transport.resume_reading()
            return
        self.transport.close()


async def main(port: int, targets: list[int]) -> None:
    loop, turns = asyncio.get_running_loop(), count()
    server = await loop.create_server(
        lambda: Client(targets, turns), HOST, port, backlog=BACKLOG, reuse_address=True
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), [int(target) for target in sys.argv[2:]]))
