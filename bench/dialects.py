"""What a client says to Noom and to Socket.IO, and how it knows what it hears. Pure."""

import json
import os
import re
import uuid
from dataclasses import dataclass
from typing import Protocol

TEXT_BYTES = 60  # of a chat message
SENT_AT = re.compile(rb"at=(\d+\.\d+)")


def text_now(now: float) -> str:
    """A chat message that says when it was sent, on the monotonic clock of this machine."""
    return f"at={now:.6f} ".ljust(TEXT_BYTES, ".")


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """A client's WebSocket frame (RFC 6455, section 5.2)."""
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
    """One server's words."""

    @property
    def delivery(self) -> bytes:
        """What stands once in what is sent for each message that is delivered."""

    def path(self, room: str) -> str:
        """Where a client opens its socket."""

    def greeting(self, room: str, token: str) -> list[tuple[bytes, bytes]]:
        """What the client says to enter, each with what tells it that it was heard."""

    def message(self, room: str, text: str, number: int) -> tuple[bytes, bytes]:
        """A chat message, and what its acknowledgement looks like."""

    @property
    def ping(self) -> bytes:
        """What a server sends to hear whether a client lives."""

    @property
    def pong(self) -> bytes:
        """What a client must say to it, to stay connected."""

    def farewell(self) -> bytes:
        """What the client says last."""


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

    def farewell(self) -> bytes:
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

    def farewell(self) -> bytes:
        return masked(b"41")


DIALECTS: dict[str, Dialect] = {"noom": Noom(), "socketio": SocketIO()}
