"""Types of the call messages, which refuse unknown fields. Pure."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from chat.protocol.codec import Endpoint
from chat.protocol.messages import (
    BeatEvent,
    EmptyAck,
    ErrorEvent,
    LeaveRoom,
    Member,
    ParticipantId,
    People,
    Seq,
    Timing,
    Token,
    WireType,
)

MAX_SDP_CHARS = 48 * 1024

Session = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,36}$")]


class Media(WireType, frozen=True):
    """The media that a participant sends; as a message, a change of them."""

    audio: bool
    video: bool
    screen: bool


class Caller(Member, frozen=True):
    """A participant as callers see it.
    `session` names one life of its page; a new session means that the old peer connection is
    gone."""

    session: Session
    media: Media


class Description(WireType, frozen=True):
    """A session description (RFC 8829).
    `number` grows with each offer of one page; an answer carries the number of its offer."""

    number: Seq
    sdp: Annotated[str, Meta(max_length=MAX_SDP_CHARS)]


class Candidate(WireType, frozen=True, rename="camel"):
    """An RTCIceCandidateInit of WebRTC."""

    candidate: Annotated[str, Meta(max_length=1_024)]
    sdp_mid: Annotated[str, Meta(max_length=64)] | None = None
    sdp_m_line_index: Annotated[int, Meta(ge=0, le=255)] | None = msgspec.field(
        name="sdpMLineIndex", default=None
    )
    username_fragment: Annotated[str, Meta(max_length=256)] | None = None


class IceServer(WireType, frozen=True, omit_defaults=True):
    """An RTCIceServer of WebRTC."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


# From the browser; the socket also takes `LeaveRoom` and `People` of the chat.


class JoinRoom(WireType, frozen=True):
    """The first message: join the call of a room that the participant has entered.
    `connection` is as in `enter_room`."""

    token: Token
    session: Session
    media: Media
    connection: Seq = 0


class Signal(WireType, frozen=True):
    """A message to one participant, in the session that the sender knows."""

    to: ParticipantId
    session: Session


class Offer(Signal, frozen=True):
    """An offer to one participant, in the session that the sender knows."""

    description: Description


class Answer(Signal, frozen=True):
    description: Description


class Ice(Signal, frozen=True):
    """A candidate; null means that there are no more."""

    candidate: Candidate | None


class IceFailed(WireType, frozen=True):
    """Report that the page found no way to another participant for 15 s.
    `no_relay`: the relay gave no address. `no_path`: no pair of addresses works. `lost`: a working
    way ended."""

    failure: Annotated[str, Meta(pattern=r"^(no_path|no_relay|lost)$")]


# Answers.


class JoinRoomAck(WireType, frozen=True):
    """The call as the participant joins it.
    `capacity` is the largest number of callers. With `relay_only` only candidates of the relay
    reach anybody."""

    you: ParticipantId
    timing: Timing
    people: list[Caller]
    ice_servers: list[IceServer]
    relay_only: bool
    topology: str
    version: int
    capacity: int


class CallPeopleAck(WireType, frozen=True):
    type: ClassVar[str] = "people"

    people: list[Caller]
    version: int


# Events.


class CallWelcomeEvent(WireType, frozen=True):
    type: ClassVar[str] = "welcome"

    person: Caller
    count: int
    version: int


class CallByeEvent(WireType, frozen=True):
    type: ClassVar[str] = "bye"

    person: Caller
    count: int
    version: int


class CallPersonEvent(WireType, frozen=True):
    """A caller lost or regained the connection, or its page began a new session."""

    type: ClassVar[str] = "person"

    person: Caller
    version: int


class MediaEvent(WireType, frozen=True):
    person: Caller
    version: int


class IceServersEvent(WireType, frozen=True):
    """New relay credentials, in time before the old ones end.
    They are for new connections and ICE restarts; media that flow already go on without them."""

    ice_servers: list[IceServer]


class SignalEvent(WireType, frozen=True):
    """A signal; `session` is that of its sender."""

    sender: str = msgspec.field(name="from")
    session: str


class OfferEvent(SignalEvent, frozen=True):
    """An offer; `session` is that of its sender."""

    description: Description


class AnswerEvent(SignalEvent, frozen=True):
    description: Description


class IceEvent(SignalEvent, frozen=True):
    candidate: Candidate | None


CALL = Endpoint(
    takes={
        JoinRoom: JoinRoomAck,
        Offer: EmptyAck,
        Answer: EmptyAck,
        Ice: EmptyAck,
        Media: EmptyAck,
        IceFailed: EmptyAck,
        People: CallPeopleAck,
        LeaveRoom: EmptyAck,
    },
    sends=(
        CallWelcomeEvent,
        CallByeEvent,
        CallPersonEvent,
        MediaEvent,
        IceServersEvent,
        OfferEvent,
        AnswerEvent,
        IceEvent,
        BeatEvent,
        ErrorEvent,
    ),
)
