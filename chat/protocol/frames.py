"""A text frame for many sockets, encoded at most once in each form. Pure."""

# RFC 6455, section 5.2: a final fragment of text; section 5.5.2: a ping without data.
FINAL_TEXT = b"\x81"
PING = b"\x89\x00"


class Frame:
    """JSON of a frame, as text for any ASGI server or as bytes of the wire.

    On the wire a ping may follow in one write, because a write for each socket is the largest cost.
    """

    __slots__ = ("_ping", "_text", "_wire", "payload")

    def __init__(self, payload: bytes, *, and_ping: bool = False) -> None:
        self.payload = payload
        self._ping = PING if and_ping else b""
        self._text: str | None = None
        self._wire: bytes | None = None

    @property
    def text(self) -> str:
        """The frame as text, for servers that encode it for each socket anew."""
        if self._text is None:
            self._text = self.payload.decode()
        return self._text

    @property
    def wire(self) -> bytes:
        """The frame as a server sends it, unmasked (RFC 6455, section 5.2)."""
        if self._wire is None:
            self._wire = FINAL_TEXT + _length(len(self.payload)) + self.payload + self._ping
        return self._wire


def frame_of(events: list[bytes]) -> Frame | None:
    """One frame of encoded events: one as it is, several as an array. None has no frame."""
    if not events:
        return None
    return Frame(events[0] if len(events) == 1 else b"[" + b",".join(events) + b"]")


def _length(size: int) -> bytes:
    if size < 126:
        return bytes((size,))
    if size < 1 << 16:
        return b"\x7e" + size.to_bytes(2, "big")
    return b"\x7f" + size.to_bytes(8, "big")
