"""The messages of the chat and lobby sockets, as types that refuse what they do not know. Pure.

The name on the wire is the name of the class in snake case: `EnterRoom` is `enter_room`; an
event's class ends in `Event`, an answer's in `Ack`. A `Socket` (chat/protocol/codec.py)
says which socket takes which.
"""

import re
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, Struct

MAX_TEXT_CHARS = 4_000
MAX_NICKNAME_CHARS = 32
HISTORY_LIMIT = 100
# Who speaks in an announcement: no participant has this id, and the server alone writes ids.
ADMINISTRATOR = ""

ParticipantId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{12}$")]
ClientId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Token = Annotated[str, Meta(max_length=1_000)]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Epoch = Annotated[str, Meta(max_length=16)]
RawNickname = Annotated[str, Meta(max_length=256)]  # cleaned and shortened by `names.nickname`


class Wire(Struct, frozen=True, forbid_unknown_fields=True):
    """What crosses the wire: unchangeable, and strict about its fields."""

    type: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        name = re.sub(r"^Call(?=[A-Z])|(Event|Ack)$", "", cls.__name__)
        cls.type = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


# What the messages speak of.


class Member(Wire, frozen=True):
    """What every record of presence holds. `here` is false while the participant's line is down and
    its lease still runs; `since` is the time it came, in milliseconds of the Unix epoch."""

    id: ParticipantId
    here: bool
    since: int


class Person(Member, frozen=True):
    """A participant as the whole room sees it."""

    nickname: str
    host: bool
    in_call: bool


class Message(Wire, frozen=True):
    """A stored chat message; `from` is empty where an administrator announces something, which no
    participant can do. `seq` counts the entries of the room's journal, messages and deletions
    together: 1, 2, 3 … `sent_at` is in milliseconds of the Unix epoch."""

    seq: int
    sender: str = msgspec.field(name="from")
    nickname: str
    text: str
    sent_at: int
    client_id: str


class Span(Wire, frozen=True):
    """The numbers from `first` to `last`."""

    first: int
    last: int


class Deletion(Wire, frozen=True):
    """Messages with numbers in `spans` are gone for good. It is an entry of the journal with a
    number of its own, so a page that misses it learns of it as of a message."""

    seq: int
    spans: list[Span]


class RoomInfo(Wire, frozen=True):
    key: str
    name: str
    listed: bool


class OpenRoom(Wire, frozen=True):
    """A listed room with people in it: `count` in the room, `in_call` of them in the call."""

    key: str
    name: str
    count: int
    in_call: int


# From the browser, on the chat socket.


class EnterRoom(Wire, frozen=True):
    """The first message: who I am, and up to which number I have the journal of the room's life
    `epoch`. A `last_seq` of another life counts for nothing.

    `connection` grows with each connection of a page. The server keeps the one with the larger
    number, whichever it serves first; a program that counts none keeps the last one served.
    """

    token: Token
    nickname: RawNickname
    last_seq: Seq | None = None
    epoch: Epoch | None = None
    connection: Seq = 0


class RenewToken(Wire, frozen=True):
    """Give me a new participant token before mine is too old: I may have to come back."""


class NewMessage(Wire, frozen=True):
    """Say something. Sending the same `client_id` again is harmless."""

    text: Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
    client_id: ClientId


class Nickname(Wire, frozen=True):
    """Change my nickname; the answer holds the one that was given."""

    nickname: RawNickname


class Typing(Wire, frozen=True):
    """I am writing, or have stopped. The server passes on at most one change a second. Say it again
    every few seconds: after 6 s of silence it counts as stopped."""

    on: bool


class History(Wire, frozen=True):
    """Messages with a smaller number than `before`, or a larger one than `after`: exactly one of
    the two; the nearest first to be cut off by `limit`, always in rising order."""

    before: Seq | None = None
    after: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_LIMIT)] = HISTORY_LIMIT


class People(Wire, frozen=True):
    """Ask for the whole roster: after a hole in its versions."""


class LeaveRoom(Wire, frozen=True):
    """Go, at once and for good."""


# Answers.


class Timing(Wire, frozen=True):
    """A beat comes every `beat_s` seconds; whoever was lost with a process leaves the roster after
    `lease_s`."""

    beat_s: float
    lease_s: float


class EnterRoomAck(Wire, frozen=True):
    """`messages` are the newest, or those after `last_seq`, with the `deletions` among them; `seq`
    is the room's last number. `epoch` names the life of the room: one that was deleted and made
    again has another, and its numbers begin again."""

    you: ParticipantId
    timing: Timing
    room: RoomInfo
    people: list[Person]
    version: int
    messages: list[Message]
    deletions: list[Deletion]
    seq: int
    epoch: Epoch


class RenewTokenAck(Wire, frozen=True):
    token: Token


class NewMessageAck(Wire, frozen=True):
    """The message is stored."""

    seq: int
    sent_at: int


class NicknameAck(Wire, frozen=True):
    nickname: str


class HistoryAck(Wire, frozen=True):
    """The answer to `after` has all entries from there to the last of them; the one to `before`
    has the deletions between its messages."""

    messages: list[Message]
    deletions: list[Deletion]


class PeopleAck(Wire, frozen=True):
    people: list[Person]
    version: int


class EmptyAck(Wire, frozen=True):
    """Done; there is nothing to say."""


# Events. `version` counts the changes of the roster: a hole in it means that one got lost.


class WelcomeEvent(Wire, frozen=True):
    person: Person
    count: int
    version: int


class ByeEvent(Wire, frozen=True):
    person: Person
    count: int
    version: int


class PersonEvent(Wire, frozen=True):
    """Something about a person changed: its line went down or came back, it joined or left the
    call."""

    person: Person
    version: int


class NicknameEvent(Wire, frozen=True):
    person: Person
    version: int


class NewMessageEvent(Message, frozen=True):
    """Someone said something, you too."""


class DeletedEvent(Deletion, frozen=True):
    """Messages were deleted: by an admin, or because they are too old."""


class TypingEvent(Wire, frozen=True):
    sender: str = msgspec.field(name="from")
    on: bool


class BeatEvent(Wire, frozen=True):
    """The line is alive; `seq` is the last number of the room's journal. `ok` is false while the
    server has lost its database or Redis: then the other two say nothing. Whoever loses the line
    comes back at random within `return_within_ms`: the more there are, the longer. A server from
    before that was told says nothing of it."""

    seq: int
    version: int
    ok: bool
    return_within_ms: int = 0


class RoomChangeEvent(Wire, frozen=True):
    """The fullest of the open rooms, at most a hundred, and how many there are in all."""

    rooms: list[OpenRoom]
    total: int


class ErrorEvent(Wire, frozen=True):
    """What went wrong: `code` for programs, `message` for people. With the `ref` of the message
    that caused it, if that had one."""

    code: str
    message: str
