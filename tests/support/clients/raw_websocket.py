"""WebSocket frames by hand (RFC 6455), which no library would send."""

import base64
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from tests.support.patience import PATIENCE

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
OPEN_S = 10.0 * PATIENCE


class Frame(NamedTuple):
    """A received frame: the opcode, and the payload."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """Return the code of a close frame."""
        return int(struct.unpack("!H", self.payload[:2])[0]) if len(self.payload) > 1 else 1005


def handshake(url: str, path: str) -> bytes:
    """Return the request that opens a socket at a server's own origin."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {quote(path)} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Origin: {url}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def masked(opcode: int, payload: bytes) -> bytes:
    """Return a whole frame of a client; its mask is zero, which is allowed and quick."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 2**16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


def parse(data: bytes) -> tuple[list[Frame], bytes]:
    """Return the whole frames of a server in `data`, and the remaining bytes."""
    frames, at = [], 0
    while len(data) >= at + 2:
        opcode, size = data[at] & 0x0F, data[at + 1] & 0x7F
        head = at + {126: 4, 127: 10}.get(size, 2)
        if size > 125:
            size = int.from_bytes(data[at + 2 : head])
        if len(data) < head + size:
            break
        at = head + size
        frames.append(Frame(opcode, data[head:at]))
    return frames, data[at:]


class Raw:
    """A blocking socket after its handshake.

    `buffer` bounds the bytes that the kernel accepts while nobody reads.
    """

    def __init__(
        self, url: str, path: str, *, source: str = "127.0.0.1", buffer: int | None = None
    ) -> None:
        self.line = socket.socket()
        if buffer:
            self.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.line.settimeout(OPEN_S)
        self.line.bind((source, 0))
        target = urlsplit(url)
        self.line.connect((target.hostname, target.port))
        self.line.sendall(handshake(url, path))
        self._data = b""
        while b"\r\n\r\n" not in self._data:
            part = self.line.recv(4096)
            if not part:
                raise ConnectionError(f"no socket: {self._data[:100]!r}")
            self._data += part
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        if b" 101 " not in head.splitlines()[0]:
            raise ConnectionError(f"no socket: {head[:100]!r}")

    def send(self, opcode: int, payload: bytes) -> None:
        self.line.sendall(masked(opcode, payload))

    def frames(self) -> Iterator[Frame]:
        """Return the frames that arrive until the connection ends."""
        while True:
            found, self._data = parse(self._data)
            yield from found
            try:
                part = self.line.recv(65_536)
            except ConnectionError:
                return
            if not part:
                return
            self._data += part

    def close(self) -> None:
        self.line.close()
