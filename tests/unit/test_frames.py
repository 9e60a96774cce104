"""A frame is what any reader of RFC 6455 makes of it."""

import pytest
from websockets.frames import Opcode
from websockets.streams import StreamReader

from chat.protocol.frames import Frame


def parsed(wire: bytes) -> tuple[bool, int, bytes, bytes]:
    """A server's frame as the websockets library reads it, and what is left over."""
    from websockets.frames import Frame as Parsed

    reader = StreamReader()
    reader.feed_data(wire)
    parsing = Parsed.parse(reader.read_exact, mask=False)
    try:
        while True:
            next(parsing)
    except StopIteration as done:
        frame = done.value
    return frame.fin, frame.opcode, bytes(frame.data), bytes(reader.buffer)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
def test_wire_holds_the_payload(size: int):
    payload = b"x" * size
    assert parsed(Frame(payload).wire) == (True, Opcode.TEXT, payload, b"")


def test_text_and_wire_are_made_once():
    frame = Frame("안녕".encode())
    assert frame.text == "안녕"
    assert frame.text is frame.text
    assert frame.wire is frame.wire
