"""One client of the load: a socket, and the bytes that it waits for."""

import contextlib
import socket
import time
from collections import deque

from bench.dialects import Dialect, text_now

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
NOT_NOW = b'"try_later"'  # too many enter at once; a page asks again
REFUSED = b'"type":"error"'
AGAIN_S = 1.0


class Client:
    """One socket; `wanted` is the text that it waits for next."""

    __slots__ = (
        *("address", "again_at", "heard", "number", "opening", "port", "room", "said"),
        *("last", "socket", "steps", "tail", "token", "wanted"),
    )

    def __init__(self, room: str, token: str, port: int, address: str) -> None:
        self.room, self.token, self.port, self.address = room, token, port, address
        self.number, self.heard = 0, 0
        self.tail = self.said = self.last = b""
        self.wanted: bytes | None = None
        self.opening = self.again_at = 0.0  # when the attempt began, and when to repeat it
        self.steps: deque[tuple[bytes, bytes]] = deque()
        self.socket = socket.socket()

    def connect(self, dialect: Dialect) -> None:
        """Begin to open the socket; `opened` continues once it is writable."""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.socket.bind((self.address, 0))
        self.opening = time.monotonic()
        self.steps = deque(dialect.greeting(self.room, self.token))
        self.wanted, self.tail, self.last = b"\r\n\r\n", b"", b""
        with contextlib.suppress(BlockingIOError):
            self.socket.connect(("127.0.0.1", self.port))

    def opened(self, dialect: Dialect) -> None:
        """Send the handshake; later messages follow their answers."""
        self.opening = 0.0
        path = dialect.path(self.room)
        self.say(HANDSHAKE.format(path=path, port=self.port).encode())

    def step(self) -> bool:
        """Send the next of the first messages; return False if all were sent."""
        if not self.steps:
            return False
        frame, self.wanted = self.steps.popleft()
        self.say(frame)
        return True

    def say(self, frame: bytes) -> None:
        self.said = frame
        self.socket.sendall(frame)

    def say_message(self, dialect: Dialect) -> None:
        """Send a chat message and wait for its acknowledgement."""
        self.number += 1
        frame, self.wanted = dialect.message(self.room, text_now(time.monotonic()), self.number)
        self.say(frame)

    def stays(self, chunk: bytes, dialect: Dialect) -> None:
        """Answer a ping in the received bytes, also one whose first bytes arrived earlier."""
        if dialect.ping in self.last + chunk:
            self.socket.sendall(dialect.pong)
        self.last = chunk[1 - len(dialect.ping) :]

    def hears(self, chunk: bytes) -> bool:
        """Return whether the awaited text has arrived."""
        if self.wanted is None:
            return False
        seen = self.tail + chunk
        if self.wanted in seen:
            self.wanted, self.tail = None, b""
            return True
        if NOT_NOW in seen:
            self.again_at, seen = time.monotonic() + AGAIN_S, b""
        elif REFUSED in seen:
            raise SystemExit(f"{self.said[:200]!r} was refused: {seen[-500:]!r}")
        self.tail = seen[-64:]
        return False
