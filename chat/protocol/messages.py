"""Types of the chat and lobby messages, which refuse unknown fields. Pure.

The name on the wire is the name of the class in snake case: `EnterRoom` is `enter_room`. The class
of an event ends in `Event`, that of an answer in `Ack`. Where two sockets use one name for two
classes, one of them states its `type`. An `Endpoint` (chat/protocol/codec.py) lists the messages
that it takes.
"""

import re
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, Struct

MAX_TEXT_CHARS = 4_000
MAX_RAW_NICKNAME_CHARS = 256
HISTORY_LIMIT = 100
# The sender of announcements: no participant has this id, and the server alone writes ids.
ADMINISTRATOR = ""

ParticipantId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{12}$")]
ClientId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Token = Annotated[str, Meta(max_length=1_000)]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Epoch = Annotated[str, Meta(max_length=16)]
# The server cleans and shortens it later.
RawNickname = Annotated[str, Meta(max_length=MAX_RAW_NICKNAME_CHARS)]


class WireType(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the message types: immutable, and strict about its fields."""

    type: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "type" not in cls.__dict__:
            name = re.sub(r"(Event|Ack)$", "", cls.__name__)
            cls.type = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


# Parts of messages.


class Member(WireType, frozen=True):
    """A member of a place, as presence keeps it.
    `here` is false while the member's connection is lost and its lease still runs. `since` is the
    time when it came, in milliseconds of the Unix epoch."""

    id: ParticipantId
    here: bool
    since: int


class Person(Member, frozen=True):
    """A participant as the whole room sees it."""

    nickname: str
    host: bool
    in_call: bool


class Message(WireType, frozen=True):
    """A stored chat message.
    `from` is empty in an announcement, which only an administrator can send. `seq` counts the
    messages and deletions of the room's journal together: 1, 2, 3 … `sent_at` is in milliseconds of
    the Unix epoch."""

    seq: int
    sender: str = msgspec.field(name="from")
    nickname: str
    text: str
    sent_at: int
    client_id: str


class Span(WireType, frozen=True):
    """The numbers from `first` to `last`."""

    first: int
    last: int


class Deletion(WireType, frozen=True):
    """An entry of the journal: the messages with numbers in `spans` are deleted.
    It has a number of its own, so a page that misses it notices a gap, as with a message."""

    seq: int
    spans: list[Span]


class RoomInfo(WireType, frozen=True):
    key: str
    name: str
    listed: bool


class OpenRoom(WireType, frozen=True):
    """A listed room with people in it.
    `count` people are in the room, `in_call` of them in its call."""

    key: str
    name: str
    count: int
    in_call: int


# From the browser, on the chat socket.


class EnterRoom(WireType, frozen=True):
    """The first message of a chat socket.
    The page has the journal of the room's life `epoch` up to `last_seq`; the server ignores a
    `last_seq` of another life. `connection` grows with each connection of a page. The server keeps
    the connection with the larger number, in whichever order it serves them, or the last one if a
    program counts none."""

    token: Token
    nickname: RawNickname
    last_seq: Seq | None = None
    epoch: Epoch | None = None
    connection: Seq = 0


class RenewToken(WireType, frozen=True):
    """Request a new participant token, for a return after the old one expires."""


class NewMessage(WireType, frozen=True):
    """Send a message; the server stores a repeated `client_id` once."""

    text: Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
    client_id: ClientId


class Nickname(WireType, frozen=True):
    """Request another nickname; the answer holds the one that was given."""

    nickname: RawNickname


class Typing(WireType, frozen=True):
    """Report that the participant writes, or has stopped.
    The server passes on at most one change a second. A page repeats the report every few seconds,
    because after 6 s of silence it counts as stopped."""

    on: bool


class History(WireType, frozen=True):
    """Request the entries below `before` or above `after`; exactly one is given.
    `limit` keeps the messages nearest to that number. The answer has them in rising order."""

    before: Seq | None = None
    after: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_LIMIT)] = HISTORY_LIMIT


class People(WireType, frozen=True):
    """Request the whole roster, after a gap in its versions."""


class LeaveRoom(WireType, frozen=True):
    """Leave at once and for good."""


# Answers.


class Timing(WireType, frozen=True):
    """Intervals of the server.
    A heartbeat comes every `beat_s` seconds. Members of a lost process leave the roster after
    `lease_s`."""

    beat_s: float
    lease_s: float


class EnterRoomAck(WireType, frozen=True):
    """The room as the participant enters it.
    `messages` are the newest, or those after `last_seq`, with the `deletions` among them. `seq` is
    the room's last number. `epoch` names the life of the room: a room that was deleted and made
    again has another one, and its numbers begin again."""

    you: ParticipantId
    timing: Timing
    room: RoomInfo
    people: list[Person]
    version: int
    messages: list[Message]
    deletions: list[Deletion]
    seq: int
    epoch: Epoch


class RenewTokenAck(WireType, frozen=True):
    token: Token


class NewMessageAck(WireType, frozen=True):
    """The message is stored."""

    seq: int
    sent_at: int


class NicknameAck(WireType, frozen=True):
    nickname: str


class HistoryAck(WireType, frozen=True):
    """Messages and deletions of the journal in rising order.
    The answer to `after` has all entries from there to its last one; the answer to `before` has the
    deletions between its messages."""

    messages: list[Message]
    deletions: list[Deletion]


class PeopleAck(WireType, frozen=True):
    people: list[Person]
    version: int


class EmptyAck(WireType, frozen=True):
    """Success without a result."""


# Events. `version` counts the changes of the roster; a gap means that an event was lost.


class WelcomeEvent(WireType, frozen=True):
    person: Person
    count: int
    version: int


class ByeEvent(WireType, frozen=True):
    person: Person
    count: int
    version: int


class PersonEvent(WireType, frozen=True):
    """A person lost or regained the connection, or joined or left the call."""

    person: Person
    version: int


class NicknameEvent(WireType, frozen=True):
    person: Person
    version: int


class NewMessageEvent(Message, frozen=True):
    """Somebody sent a message; the sender receives this event too."""


class DeletedEvent(Deletion, frozen=True):
    """An admin deleted messages, or they were too old."""


class TypingEvent(WireType, frozen=True):
    sender: str = msgspec.field(name="from")
    on: bool


class BeatEvent(WireType, frozen=True):
    """A heartbeat: the connection works.
    `seq` is the last number of the room's journal. `ok` is false while the server has lost its
    database or Redis; `seq` and `version` then mean nothing. After a lost connection a page waits a
    random time of at most `return_within_ms`, which grows with the number of connections. Older
    servers do not send it."""

    seq: int
    version: int
    ok: bool
    return_within_ms: int = 0


class RoomChangeEvent(WireType, frozen=True):
    """The fullest open rooms, at most a hundred, and the number of all open rooms."""

    rooms: list[OpenRoom]
    total: int


class ErrorEvent(WireType, frozen=True):
    """A failure: `code` is for programs, `message` for people.
    The frame has the `ref` of the message that caused it, if that had one."""

    code: str
    message: str
