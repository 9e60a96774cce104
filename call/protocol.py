"""The messages of the call socket, as types that refuse what they do not know. Pure."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chat.protocol.codec import Socket
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
    Wire,
)

MAX_SDP_CHARS = 48 * 1024

Session = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,36}$")]


class Media(Wire, frozen=True):
    """What a participant sends into the call right now; as a message: that has changed."""

    audio: bool
    video: bool
    screen: bool


class Caller(Member, frozen=True):
    """A participant as the others in the call see it. `session` names one life of its page: a new
    session means that the old peer connection is gone."""

    session: Session
    media: Media


class Description(Wire, frozen=True):
    """A session description (RFC 8829). `number` grows with each offer of one page; an answer
    carries the number of the offer that it answers."""

    number: Seq
    sdp: Annotated[str, Meta(max_length=MAX_SDP_CHARS)]


class Candidate(Wire, frozen=True, rename="camel"):
    """An RTCIceCandidateInit of WebRTC."""

    candidate: Annotated[str, Meta(max_length=1_024)]
    sdp_mid: Annotated[str, Meta(max_length=64)] | None = None
    sdp_m_line_index: Annotated[int, Meta(ge=0, le=255)] | None = msgspec.field(
        name="sdpMLineIndex", default=None
    )
    username_fragment: Annotated[str, Meta(max_length=256)] | None = None


class IceServer(Wire, frozen=True, omit_defaults=True):
    """An RTCIceServer of WebRTC."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


# From the browser (`LeaveRoom` and `People` serve here too).


class JoinRoom(Wire, frozen=True):
    """The first message: join the call of a room that this participant has entered. `connection` is
    as in `enter_room`."""

    token: Token
    session: Session
    media: Media
    connection: Seq = 0


class Offer(Wire, frozen=True):
    """For one participant, in the session in which the sender knows it."""

    to: ParticipantId
    session: Session
    description: Description


class Answer(Wire, frozen=True):
    to: ParticipantId
    session: Session
    description: Description


class Ice(Wire, frozen=True):
    """A candidate; null says that there are no more."""

    to: ParticipantId
    session: Session
    candidate: Candidate | None


class IceFailed(Wire, frozen=True):
    """A page has found no way to another participant for 15 s. `no_relay`: the relay gave it no
    address. `no_path`: no pair of addresses works. `lost`: a way that worked works no more."""

    failure: Annotated[str, Meta(pattern=r"^(no_path|no_relay|lost)$")]


# Answers.


class JoinRoomAck(Wire, frozen=True):
    """`capacity` is the most people that the call takes; with `relay_only` no other candidate than
    the relay's reaches anybody."""

    you: ParticipantId
    timing: Timing
    people: list[Caller]
    ice_servers: list[IceServer]
    relay_only: bool
    topology: str
    version: int
    capacity: int


class CallPeopleAck(Wire, frozen=True):
    people: list[Caller]
    version: int


# Events.


class CallWelcomeEvent(Wire, frozen=True):
    person: Caller
    count: int
    version: int


class CallByeEvent(Wire, frozen=True):
    person: Caller
    count: int
    version: int


class CallPersonEvent(Wire, frozen=True):
    """A caller's line went down or came back, or its page began a new session."""

    person: Caller
    version: int


class MediaEvent(Wire, frozen=True):
    person: Caller
    version: int


class IceServersEvent(Wire, frozen=True):
    """New relay credentials, in time before the old ones end: for every connection and restart of
    ICE from now on. What flows already goes on by itself."""

    ice_servers: list[IceServer]


class OfferEvent(Wire, frozen=True):
    """`session` is the sender's."""

    sender: str = msgspec.field(name="from")
    session: str
    description: Description


class AnswerEvent(Wire, frozen=True):
    sender: str = msgspec.field(name="from")
    session: str
    description: Description


class IceEvent(Wire, frozen=True):
    sender: str = msgspec.field(name="from")
    session: str
    candidate: Candidate | None


CALL = Socket(
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
