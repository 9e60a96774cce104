"""The service of rooms: enter, leave, say, rename."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import msgspec
from django.conf import settings
from msgspec import Raw

from chat import runtime
from chat.errors import Crowded, Refused
from chat.names import cleaning, keys
from chat.presence.base import Change
from chat.presence.roster import Entrant, Kind, Roster, register
from chat.protocol.messages import (
    ByeEvent,
    EnterRoomAck,
    Member,
    Message,
    NewMessageAck,
    NewMessageEvent,
    NicknameEvent,
    PeopleAck,
    Person,
    PersonEvent,
    RoomInfo,
    Timing,
    TypingEvent,
    WelcomeEvent,
)
from chat.realtime.hub import Local
from chat.services import call_status
from chat.services.history_reader import Reader
from chat.services.room_members import Resident, persons, residents, shown
from chat.services.typing_status import Typist
from chat.stats import counts
from chat.storage import database, room_access
from chat.storage.history import Entries
from chat.storage.journal import JournalFull, RoomGone
from chat.storage.room_access import Doorway, Seen
from chat.tokens import Identity

DOOR_PATIENCE_S = 5.0  # wait for earlier entries; then `try_later`

LOBBY_GROUP = cleaning.group("lobby", "")


@dataclass(slots=True)
class Visitor:
    """A participant in a room, as its socket's process knows it."""

    id: str
    key: str
    room_id: int
    nickname: str
    local: Local
    reader: Reader
    browser: str
    typist: Typist


async def _follow(key: str, change: Change) -> None:
    """Update the lobby and the call after a change of a room's roster."""
    before, after = cast(Person | None, change.before), cast(Person | None, change.after)
    if before is None or after is None or before.in_call != after.in_call:
        runtime.current().hub.publish(LOBBY_GROUP, b"{}")
    if before is not None and after is None:
        await call_status.left(key, before.id)


PEOPLE = register(
    Kind(
        "chat",
        Resident,
        welcome=WelcomeEvent,
        bye=ByeEvent,
        changed=PersonEvent,
        after=_follow,
        repair=call_status.repair,
        shown=shown,
    )
)


def people() -> Roster:
    """Return the roster of rooms."""
    return runtime.current().roster(PEOPLE)


async def enter(
    *, identity: Identity, nickname: str, seen: Seen, address: str, local: Entrant
) -> tuple[Visitor, EnterRoomAck]:
    """Let a participant into its room, and make the room if there is none.

    Raises Refused if the browser was removed, the room is closed or full, too many enter at once,
    or its network makes too many rooms.
    """
    runtime.current().start()
    door = runtime.current().door
    try:
        async with asyncio.timeout(DOOR_PATIENCE_S):
            await door.acquire()
    except TimeoutError as error:
        raise Refused("try_later", "Too many are coming in; one moment.") from error
    try:
        return await _enter(identity, nickname, seen, address, local)
    finally:
        door.release()


async def _enter(
    identity: Identity, nickname: str, seen: Seen, address: str, local: Entrant
) -> tuple[Visitor, EnterRoomAck]:
    # Most rooms exist. The one thread that writes makes new ones, so none race.
    found = await database.read(room_access.find, identity)
    if found is None and not runtime.current().budgets.may_make_room(address):
        raise Refused("too_many_rooms", "Too many rooms were made from your network today.")
    room = _admitted(found or await database.write(room_access.make, identity))
    key, rule = identity.key, _Entrance(identity, nickname, room)
    local.epoch = room.epoch
    change = await people().enter(key=key, local=local, rule=rule)
    counts.resumes += change.before is not None
    person, reader = cast(Person, change.after), Reader(address)
    try:
        # Read after subscribing, so that a message or a removal meanwhile is in the answer, in an
        # event, or in both.
        entries, seq = await reader.backlog(partial(_backlog, identity, room.epoch, seen))
    except BaseException:
        await people().leave_by(key, local)
        raise
    # The hub delivers later changes, because it subscribed before this one.
    ack = EnterRoomAck(
        you=person.id,
        timing=Timing(settings.RENEW_S, settings.LEASE_S),
        room=RoomInfo(key=key, name=room.name, listed=room.listed),
        people=persons(change.members),
        version=change.version,
        messages=entries.messages,
        deletions=entries.deletions,
        seq=seq,
        epoch=room.epoch,
    )
    typist = Typist(lambda on: people().send(key, TypingEvent(sender=person.id, on=on)))
    who = (person.id, key, room.id, person.nickname)
    return Visitor(*who, local, reader, identity.browser, typist), ack


@dataclass(frozen=True, slots=True)
class _Entrance:
    """The rule of entering: capacity, distinct names, and the return of a member."""

    identity: Identity
    nickname: str
    room: Doorway

    def __call__(self, members: Mapping[str, Member]) -> Resident:
        me = self.identity.participant
        before = members.get(me)
        if before is None and len(members) >= (self.room.capacity or settings.ROOM_CAPACITY):
            raise Refused("room_full", "This room is full.")
        nickname = _distinct(self.nickname, me, members)
        if isinstance(before, Resident):
            return msgspec.structs.replace(before, here=True, nickname=nickname)
        return Resident(
            id=me,
            here=True,
            since=int(time.time() * 1000),
            nickname=nickname,
            host=bool(self.room.host) and self.room.host == self.identity.browser,
            in_call=False,
            browser=self.identity.browser,
        )


async def address(name: str) -> str:
    """Return the key of the listed room of this name."""
    key, older = keys.room_key(name), keys.older_key(name)
    return key if key == older else await database.read(room_access.settled, key, older)


async def company(key: str) -> int:
    """Count the people in a room, by one query of presence."""
    return len((await people().snapshot(key)).members)


async def leave(visitor: Visitor) -> None:
    """Remove a participant at once."""
    await people().leave_by(visitor.key, visitor.local)


async def line_down(key: str, local: Local, *, code: int) -> None:
    """Handle the end of a connection, also of one that was still entering."""
    await people().line_down(key, local, code=code)


async def say(visitor: Visitor, *, text: str, client_id: str) -> NewMessageAck:
    """Store a message and publish it.

    Raises Refused for an empty text, overload, or a deleted room.
    """
    text = cleaning.clean_text(text)
    if not text:
        raise Refused("empty_message", "There is nothing in this message.")
    here, address = runtime.current(), visitor.reader.address
    if not here.budgets.may_say(address, visitor.key, text + visitor.nickname):
        raise Crowded("Much is being written here; your message waits.")

    def publish(message: Message) -> None:
        fields = msgspec.structs.asdict(message)
        people().send(visitor.key, NewMessageEvent(**fields))

    try:
        stored = await here.journal.append(
            room_id=visitor.room_id,
            participant=visitor.id,
            nickname=visitor.nickname,
            text=text,
            client_id=client_id,
            publish=publish,
            browser=visitor.browser,
        )
    except JournalFull as error:
        raise Refused("try_later", "The server is busy; your message waits.") from error
    except RoomGone as error:
        raise _closed() from error
    return NewMessageAck(seq=stored.seq, sent_at=stored.sent_at)


async def rename(visitor: Visitor, *, nickname: str) -> str:
    """Give a participant another nickname; return the one that it got."""
    if not cleaning.clean(nickname, cleaning.MAX_NICKNAME_CHARS):
        raise Refused("empty_nickname", "A nickname needs something to see.")

    def rule(members: Mapping[str, Member]) -> Member | None:
        name = _distinct(nickname, visitor.id, members)
        return _with(members, visitor.id, nickname=name)

    roster = people()
    change = await roster.change(visitor.key, visitor.id, rule, NicknameEvent, by=visitor.local)
    if isinstance(change.after, Person):
        visitor.nickname = change.after.nickname
    return visitor.nickname


def typing(visitor: Visitor, *, on: bool) -> None:
    """Publish that a participant writes, or has stopped."""
    visitor.typist.says(on)


async def history(visitor: Visitor, *, before: int | None, after: int | None, limit: int) -> Raw:
    """Return the encoded answer to `history`. Raises Refused."""
    reader = visitor.reader
    return await reader.history(visitor.room_id, before=before, after=after, limit=limit)


async def live_keys() -> list[str]:
    """Return the keys of the rooms with people in them, unlisted ones too."""
    return list(await people().counts())


async def who(key: str) -> PeopleAck:
    """Return everybody in a room."""
    snapshot = await people().snapshot(key)
    return PeopleAck(people=persons(snapshot.members), version=snapshot.version)


def _distinct(nickname: str, me: str, members: Mapping[str, Member]) -> str:
    others = [person for person in residents(members) if person.id != me]
    taken = {cleaning.skeleton(person.nickname) for person in others}
    return cleaning.distinct(cleaning.nickname(nickname), taken)


def _with(members: Mapping[str, Member], participant: str, **changes: object) -> Member | None:
    """The record of a member with some changes; None if there is no such member."""
    member = members.get(participant)
    return None if member is None else msgspec.structs.replace(member, **changes)


def _backlog(identity: Identity, epoch: str, seen: Seen, few: bool) -> tuple[Entries, int]:
    room = _admitted(room_access.find(identity))
    if room.epoch != epoch:  # the room was deleted and made again meanwhile
        raise _closed()
    return room_access.backlog(room, seen, few=few), room.last_seq


def _admitted(room: Doorway | None) -> Doorway:
    """Return the room if it lets the browser in. Raises Refused."""
    if room is not None and room.removed:
        raise Refused("removed", "You were removed from this room.")
    if room is None or room.closed:
        raise _closed()
    return room


def _closed() -> Refused:
    return Refused("room_closed", "This room is closed.")
