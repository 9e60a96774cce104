"""Pings: who answers them stays, in whatever pieces the answers come; who does not is cut off."""

import asyncio
import struct

from chat.protocol import close_codes
from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import Noom

PING, CLOSE = 9, 8
PONG = b"\x8a\x80mask"
END_S = 25 * PATIENCE
ENOUGH = 3  # pings that were answered


async def frames(reader: asyncio.StreamReader):
    """Opcode and payload of each frame of a server, until it ends the connection."""
    while True:
        try:
            first, length = await reader.readexactly(2)
            if length == 126:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
            yield first & 15, await reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return


async def listen(port: int, answers: list[bytes]) -> tuple[int, int | None]:
    """Listens to the lobby and answers each ping with these bytes, one after the other; returns how
    many pings came, until there were enough or the close, and the code of that."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /ws/lobby/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    pings = 0
    try:
        async with asyncio.timeout(END_S):
            async for opcode, payload in frames(reader):
                if opcode == CLOSE:
                    return pings, struct.unpack("!H", payload[:2])[0]
                if opcode == PING:
                    pings += 1
                    if answers and pings == ENOUGH:
                        break
                    for part in answers:
                        writer.write(part)
                        await writer.drain()
                        await asyncio.sleep(0.05)
    finally:
        writer.close()
    return pings, None


async def test_keepalive_closes_silent_clients_only(noom: Noom):
    whole, in_pieces, with_words, silent = await asyncio.gather(
        listen(noom.port, [PONG]),
        listen(noom.port, [PONG[:1], PONG[1:4], PONG[4:]]),
        listen(noom.port, [b"\x8a\x82mask\x00\x00"]),
        listen(noom.port, []),
    )
    assert whole == in_pieces == with_words == (ENOUGH, None)
    assert silent == (1, close_codes.SILENT)
