"""Strict decoding and encoding of frames, and the messages of each socket. Pure."""

import re
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta, Raw, Struct

from chat.protocol import messages as m
from chat.protocol.error_codes import BrokenClientCode

# Raised with every change that breaks an older page or server: a message or a field that is
# removed, that is new and required, or that has another meaning. New events need no new version,
# because pages ignore unknown ones. A page names its version when it opens a socket: `?v=2`.
VERSION = 2
MAX_FRAME_BYTES = 64 * 1024
Ref = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class ProtocolError(Exception):
    """A frame that breaks the protocol; its client receives `code` and `message`."""

    def __init__(self, code: BrokenClientCode, message: str, ref: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.ref = code, message, ref


class _Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    payload: Raw = Raw(b"{}")
    ref: Ref | None = None


class _Event(Struct, frozen=True, forbid_unknown_fields=True):
    """An event from the channel layer; a tick of the lobby is empty."""

    type: str = ""
    payload: dict[str, Any] = {}


# An escape of JSON: a surrogate pair, a lone surrogate (`half`), or any other.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
_envelope = msgspec.json.Decoder(_Envelope)
# Reads the type of an encoded event. Raises DecodeError for anything else.
decode_event = msgspec.json.Decoder(_Event).decode
_encoder = msgspec.json.Encoder()


def is_current(query: bytes) -> bool:
    """Whether the query of a socket's address names this version, or none.

    Programs may leave the version out.
    """
    named = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("v", [])
    return named in ([], [str(VERSION)])


class Endpoint:
    """One kind of socket: its messages with their answers, and its events."""

    def __init__(
        self,
        *,
        takes: dict[type[m.WireType], type[m.WireType]],
        sends: tuple[type[m.WireType], ...],
    ) -> None:
        self.accepts, self.sends = takes, sends
        self._decoders = {kind.type: msgspec.json.Decoder(kind) for kind in takes}

    def decode(self, frame: str | bytes | None) -> tuple[m.WireType, int | None]:
        """Decode a frame into its message and `ref`, without lone surrogates.

        Raises ProtocolError for frames that are binary, too large or not JSON (NaN too), and for
        types and fields that this socket does not take.
        """
        if not isinstance(frame, str):
            raise ProtocolError("not_text", "Frames are text.")
        if len(frame) > MAX_FRAME_BYTES or len(encoded := _well_formed(frame)) > MAX_FRAME_BYTES:
            raise ProtocolError("too_large", f"A frame holds at most {MAX_FRAME_BYTES} bytes.")
        try:
            envelope = _envelope.decode(encoded)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ProtocolError("bad_frame", f"Not a message: {error}") from error
        decoder = self._decoders.get(envelope.type)
        if decoder is None:
            raise ProtocolError("unknown_type", "This socket takes no such message.", envelope.ref)
        try:
            return decoder.decode(envelope.payload), envelope.ref
        except (msgspec.DecodeError, RecursionError) as error:
            raise ProtocolError("bad_payload", f"{envelope.type}: {error}", envelope.ref) from error


def _well_formed(frame: str) -> bytes:
    """Encode a frame as UTF-8, without lone surrogates.

    A browser cuts an emoji in half where a field is full. msgspec refuses a half, and `JSON.parse`
    of other browsers would restore it. The rest of the text is what the person meant.
    """
    if "\\u" in frame:
        frame = _ESCAPE.sub(lambda found: "" if found["half"] else found[0], frame)
    return frame.encode(errors="ignore")


def event(message: m.WireType) -> bytes:
    """Encode an event as JSON: `{"type": …, "payload": {…}}`."""
    return b'{"type":"%b","payload":%b}' % (message.type.encode(), _encoder.encode(message))


def encoded(message: m.WireType) -> Raw:
    """Encode a payload as JSON; a thread does so for long ones."""
    return Raw(_encoder.encode(message))


def ack(ref: int, payload: m.WireType | Raw) -> bytes:
    """Encode the answer to a message that has a `ref`."""
    return b'{"type":"ack","ref":%d,"payload":%b}' % (ref, _encoder.encode(payload))


def error(ref: int | None, code: str, message: str) -> bytes:
    """Encode an error of the message `ref`, or of the socket if `ref` is None."""
    encoded = event(m.ErrorEvent(code=code, message=message))
    return encoded if ref is None else b'{"ref":%d,%b' % (ref, encoded[1:])


CHAT = Endpoint(
    takes={
        m.EnterRoom: m.EnterRoomAck,
        m.RenewToken: m.RenewTokenAck,
        m.NewMessage: m.NewMessageAck,
        m.Nickname: m.NicknameAck,
        m.Typing: m.EmptyAck,
        m.History: m.HistoryAck,
        m.People: m.PeopleAck,
        m.LeaveRoom: m.EmptyAck,
    },
    sends=(
        m.WelcomeEvent,
        m.ByeEvent,
        m.PersonEvent,
        m.NicknameEvent,
        m.NewMessageEvent,
        m.DeletedEvent,
        m.TypingEvent,
        m.BeatEvent,
        m.ErrorEvent,
    ),
)
LOBBY = Endpoint(takes={}, sends=(m.RoomChangeEvent, m.ErrorEvent))
