"""The requests that stand in for a WebSocket, and their answers (docs/protocol.md). Pure."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

MAX_BODY_BYTES = 96 * 1024  # a frame of the largest size, its head, and a little
QUIET = b":\n\n"  # a comment: the line is alive and there is nothing to say

Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
SessionId = Annotated[str, Meta(max_length=200)]


class Open(Struct, tag_field="do", tag="open", forbid_unknown_fields=True):
    """A new session. Its answer goes on as a stream, or ends after the session's name."""

    stream: bool


class Listen(Struct, tag_field="do", tag="listen", forbid_unknown_fields=True):
    """What came after the frame `after`, which this acknowledges. A later `turn` ends earlier
    ones; an answer that is no stream ends with what it finds first."""

    session: SessionId
    turn: Count
    after: Count
    stream: bool


class Send(Struct, tag_field="do", tag="send", forbid_unknown_fields=True):
    """Frames for the server, one a line of the body, the first of which is the `number`th."""

    session: SessionId
    number: Count
    after: Count


class Close(Struct, tag_field="do", tag="close", forbid_unknown_fields=True):
    """The end, after the last frames."""

    session: SessionId
    number: Count
    code: Literal[1000, 1001]


Later = Listen | Send | Close  # requests for a session that is there
Head = Open | Later

_head = msgspec.json.Decoder(Head)


class BadRequest(Exception):
    """Not a request of this protocol."""


def decode(body: bytes) -> tuple[Head, list[str]]:
    """The head in the first line of a body, and the frames in the others. Raises BadRequest."""
    try:
        first, *frames = body.decode().split("\n")
        return _head.decode(first), frames
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(str(error)) from error


def opened(session: str) -> bytes:
    """The event that names a new session."""
    return b"event: open\ndata: %b\n\n" % msgspec.json.encode({"session": session})


def numbered(number: int, frame: str) -> bytes:
    """The event that carries a frame; JSON has no line feed within."""
    return b"id: %d\ndata: %b\n\n" % (number, frame.encode())


def closed(code: int, reason: str) -> bytes:
    """The last event."""
    return b"event: close\ndata: %b\n\n" % msgspec.json.encode({"code": code, "reason": reason})
