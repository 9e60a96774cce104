"""Requests that stand in for a WebSocket, and their answers. Pure.

docs/protocol.md describes them.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

MAX_BODY_BYTES = 96 * 1024  # the largest frame, its head, and a margin
SSE_COMMENT = b":\n\n"  # a comment: the connection works, and there is no event

Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
SessionId = Annotated[str, Meta(max_length=200)]


class Open(Struct, tag_field="do", tag="open", forbid_unknown_fields=True):
    """Open a session; the answer names it, then goes on as a stream or ends."""

    stream: bool


class Listen(Struct, tag_field="do", tag="listen", forbid_unknown_fields=True):
    """Request the frames after the frame `after`, which this acknowledges.

    A later `turn` ends earlier requests. An answer that is no stream ends after the first frames
    that it finds.
    """

    session: SessionId
    turn: Count
    after: Count
    stream: bool


class Send(Struct, tag_field="do", tag="send", forbid_unknown_fields=True):
    """Send frames, one on each line of the body; the first is the `number`th."""

    session: SessionId
    number: Count
    after: Count


class Close(Struct, tag_field="do", tag="close", forbid_unknown_fields=True):
    """End the session after the last frames."""

    session: SessionId
    number: Count
    code: Literal[1000, 1001]


Later = Listen | Send | Close  # requests for an existing session
Head = Open | Later

_head = msgspec.json.Decoder(Head)


class BadRequest(Exception):
    """A request that breaks this protocol."""


def decode(body: bytes) -> tuple[Head, list[str]]:
    """Decode the head in the first line of a body, and the frames in the rest.

    Raises BadRequest.
    """
    try:
        first, *frames = body.decode().split("\n")
        return _head.decode(first), frames
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(str(error)) from error


def opened(session: str) -> bytes:
    """Encode the event that names a new session."""
    return b"event: open\ndata: %b\n\n" % msgspec.json.encode({"session": session})


def numbered(number: int, frame: str) -> bytes:
    """Encode a frame as a numbered event; JSON has no line feed within."""
    return b"id: %d\ndata: %b\n\n" % (number, frame.encode())


def closed(code: int, reason: str) -> bytes:
    """Encode the last event of a session."""
    return b"event: close\ndata: %b\n\n" % msgspec.json.encode({"code": code, "reason": reason})
