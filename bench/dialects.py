"""Messages of a client to Noom and to Socket.IO, and the signs of their answers.

Pure.
"""

import json
import os
import re
import uuid
from dataclasses import dataclass
from typing import Protocol

TEXT_BYTES = 60  # of a chat message
SENT_AT = re.compile(rb"at=(\d+\.\d+)")


def text_now(now: float) -> str:
    """Return a chat message that carries its time of sending.

    The time is that of this machine's monotonic clock.
    """
    return f"at={now:.6f} ".ljust(TEXT_BYTES, ".")


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """Return a client's WebSocket frame (RFC 6455, section 5.2)."""
    mask = os.urandom(4)
    size = len(payload)
    head = bytes([0x80 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    else:
        head += bytes([0x80 | 126]) + size.to_bytes(2, "big")
    repeated = (mask * (size // 4 + 1))[:size]
    coded = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return head + mask + coded.to_bytes(size, "big")


class Dialect(Protocol):
    """The messages of one server's protocol."""

    @property
    def delivery(self) -> bytes:
        """A text that occurs once in the bytes of each delivered message."""

    def path(self, room: str) -> str:
        """Return the path of a client's socket."""

    def greeting(self, room: str, token: str) -> list[tuple[bytes, bytes]]:
        """Return the messages that enter the room, each with the sign of its answer."""

    def message(self, room: str, text: str, number: int) -> tuple[bytes, bytes]:
        """Return a chat message, and the sign of its acknowledgement."""

    @property
    def ping(self) -> bytes:
        """The bytes by which a server checks that a client lives."""

    @property
    def pong(self) -> bytes:
        """The answer of a client that wants to stay connected."""

    def leave_message(self) -> bytes:
        """Return the last message of a client."""


@dataclass(frozen=True)
class Noom:
    """Noom's chat socket (docs/protocol.md)."""

    delivery = b'"type":"new_message"'
    # Frames without a payload (RFC 6455, section 5.5); a ping may follow a text in one write.
    ping = b"\x89\x00"
    pong = masked(b"", opcode=10)

    def path(self, room: str) -> str:
        return f"/ws/chat/{room}/"

    def greeting(self, room: str, token: str) -> list[tuple[bytes, bytes]]:
        payload = {"token": token, "nickname": "Anon"}
        entering = {"type": "enter_room", "ref": 0, "payload": payload}
        return [(masked(json.dumps(entering).encode()), b'"ack","ref":0,')]

    def message(self, room: str, text: str, number: int) -> tuple[bytes, bytes]:
        payload = {"text": text, "client_id": str(uuid.uuid4())}
        said = {"type": "new_message", "ref": number, "payload": payload}
        return masked(json.dumps(said).encode()), b'"ack","ref":%d,' % number

    def leave_message(self) -> bytes:
        return masked(json.dumps({"type": "leave_room", "payload": {}}).encode())


@dataclass(frozen=True)
class SocketIO:
    """Socket.IO's protocol 5 in Engine.IO's protocol 4, on a WebSocket from the start."""

    delivery = b'42["new_message"'
    ping = b"\x81\x012"  # a text frame of one byte, the 2
    pong = masked(b"3")

    def path(self, room: str) -> str:
        return "/socket.io/?EIO=4&transport=websocket"

    def greeting(self, room: str, token: str) -> list[tuple[bytes, bytes]]:
        entering = json.dumps(["enter_room", room, "Anon"]).encode()
        return [(masked(b"40"), b'40{"sid"'), (masked(b"420" + entering), b"430[")]

    def message(self, room: str, text: str, number: int) -> tuple[bytes, bytes]:
        said = json.dumps(["new_message", room, text]).encode()
        return masked(b"42%d" % number + said), b"43%d[" % number

    def leave_message(self) -> bytes:
        return masked(b"41")


DIALECTS: dict[str, Dialect] = {"noom": Noom(), "socketio": SocketIO()}
