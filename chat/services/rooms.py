"""The service of rooms: enter, leave, say, rename."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

from django.conf import settings
from msgspec import Raw

from chat import runtime
from chat.errors import OverBudget, Refused
from chat.names import cleaning, keys
from chat.presence.base import Change
from chat.presence.place_types import PlaceType, register
from chat.presence.roster import JoiningConnection, Roster
from chat.protocol.messages import (
    ByeEvent,
    EnterRoomAck,
    Member,
    NewMessageAck,
    NicknameEvent,
    PeopleAck,
    Person,
    PersonEvent,
    RoomInfo,
    Timing,
    TypingEvent,
    WelcomeEvent,
)
from chat.realtime.hub import Subscriber
from chat.services import call_status
from chat.services.history_reader import Reader
from chat.services.room_members import (
    EnterTransition,
    RoomMemberRecord,
    distinct_nickname,
    public_view,
    public_views,
    with_changes,
)
from chat.services.typing_status import Typist
from chat.stats import counts
from chat.storage import database, room_access
from chat.storage.history import Entries
from chat.storage.journal import JournalFull, RoomGone
from chat.storage.room_access import RoomAccess, SeenUntil
from chat.tokens import ParticipantClaims

ENTRY_QUEUE_TIMEOUT_S = 5.0  # wait for earlier entries; then `try_later`

DIRECTORY_GROUP = cleaning.group("lobby", "")


@dataclass(slots=True)
class RoomSession:
    """A participant in a room, as its socket's process knows it."""

    id: str
    key: str
    room_id: int
    nickname: str
    connection: Subscriber
    reader: Reader
    browser: str
    typist: Typist


async def _on_person_changed(key: str, change: Change) -> None:
    """Update the lobby and the call after a change of a room's roster."""
    before, after = cast(Person | None, change.before), cast(Person | None, change.after)
    if before is None or after is None or before.in_call != after.in_call:
        runtime.current().hub.publish(DIRECTORY_GROUP, b"{}")
    if before is not None and after is None:
        await call_status.room_left(key, before.id)


PEOPLE = register(
    PlaceType(
        "chat",
        RoomMemberRecord,
        welcome=WelcomeEvent,
        bye=ByeEvent,
        changed=PersonEvent,
        on_change=_on_person_changed,
        repair=call_status.repair,
        public_view=public_view,
    )
)


def roster() -> Roster:
    """Return the roster of rooms."""
    return runtime.current().roster(PEOPLE)


async def enter(
    *,
    claims: ParticipantClaims,
    nickname: str,
    seen: SeenUntil,
    address: str,
    connection: JoiningConnection,
) -> tuple[RoomSession, EnterRoomAck]:
    """Let a participant into its room, and make the room if there is none.

    Raises Refused if the browser was removed, the room is closed or full, too many enter at once,
    or its network makes too many rooms.
    """
    runtime.current().start()
    door = runtime.current().entry_limit
    try:
        async with asyncio.timeout(ENTRY_QUEUE_TIMEOUT_S):
            await door.acquire()
    except TimeoutError as error:
        raise Refused("try_later", "Too many are coming in; one moment.") from error
    try:
        return await _enter(claims, nickname, seen, address, connection)
    finally:
        door.release()


async def _enter(
    claims: ParticipantClaims,
    nickname: str,
    seen: SeenUntil,
    address: str,
    connection: JoiningConnection,
) -> tuple[RoomSession, EnterRoomAck]:
    # Most rooms exist. The one thread that writes makes new ones, so none race.
    found = await database.query(room_access.find_room, claims)
    if found is None and not runtime.current().budgets.may_make_room(address):
        raise Refused("too_many_rooms", "Too many rooms were made from your network today.")
    room = _admitted(found or await database.write_in_order(room_access.get_or_create_room, claims))
    key, transition = claims.key, EnterTransition(claims, nickname, room)
    connection.epoch = room.epoch
    change = await roster().enter(key=key, connection=connection, transition=transition)
    counts.resumes += change.before is not None
    person, reader = cast(Person, change.after), Reader(address)
    try:
        # Read after subscribing, so that a message or a removal meanwhile is in the answer, in an
        # event, or in both.
        entries, seq = await reader.backlog(partial(_backlog, claims, room.epoch, seen))
    except BaseException:
        await roster().leave_by(key, connection)
        raise
    # The hub delivers later changes, because it subscribed before this one.
    ack = EnterRoomAck(
        you=person.id,
        timing=Timing(settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S),
        room=RoomInfo(key=key, name=room.name, listed=room.listed),
        people=public_views(change.members),
        version=change.version,
        messages=entries.messages,
        deletions=entries.deletions,
        seq=seq,
        epoch=room.epoch,
    )
    typist = Typist(lambda on: roster().publish(key, TypingEvent(sender=person.id, on=on)))
    who = (person.id, key, room.id, person.nickname)
    return RoomSession(*who, connection, reader, claims.browser, typist), ack


async def key_of_name(name: str) -> str:
    """Return the key of the listed room of this name."""
    key, older = keys.key_of_name(name), keys.older_key(name)
    return key if key == older else await database.query(room_access.existing_key, key, older)


async def count_people(key: str) -> int:
    """Count the people in a room, by one query of presence."""
    return len((await roster().snapshot(key)).members)


async def leave(session: RoomSession) -> None:
    """Remove a participant at once."""
    await roster().leave_by(session.key, session.connection)


async def connection_lost(key: str, connection: Subscriber, *, code: int) -> None:
    """Handle the end of a connection, also of one that was still entering."""
    await roster().connection_lost(key, connection, code=code)


async def post_message(session: RoomSession, *, text: str, client_id: str) -> NewMessageAck:
    """Store a message and publish it.

    Raises Refused for an empty text, overload, or a deleted room.
    """
    text = cleaning.clean_text(text)
    if not text:
        raise Refused("empty_message", "There is nothing in this message.")
    here, address = runtime.current(), session.reader.address
    if not here.budgets.may_say(address, session.key, text + session.nickname):
        raise OverBudget("Much is being written here; your message waits.")

    try:
        stored = await here.journal.append(
            room_id=session.room_id,
            participant=session.id,
            nickname=session.nickname,
            text=text,
            client_id=client_id,
            publish=partial(roster().publish, session.key),
            browser=session.browser,
        )
    except JournalFull as error:
        raise Refused("try_later", "The server is busy; your message waits.") from error
    except RoomGone as error:
        raise _closed() from error
    return NewMessageAck(seq=stored.seq, sent_at=stored.sent_at)


async def rename(session: RoomSession, *, nickname: str) -> str:
    """Give a participant another nickname; return the one that it got."""
    if not cleaning.clean_line(nickname, cleaning.MAX_NICKNAME_CHARS):
        raise Refused("empty_nickname", "A nickname needs something to see.")

    def transition(members: Mapping[str, Member]) -> Member | None:
        name = distinct_nickname(nickname, session.id, members)
        return with_changes(members, session.id, nickname=name)

    people = roster()
    change = await people.change(
        session.key, session.id, transition, NicknameEvent, by=session.connection
    )
    if isinstance(change.after, Person):
        session.nickname = change.after.nickname
    return session.nickname


def set_typing(session: RoomSession, *, on: bool) -> None:
    """Publish that a participant writes, or has stopped."""
    session.typist.says(on)


async def history(
    session: RoomSession, *, before: int | None, after: int | None, limit: int
) -> Raw:
    """Return the encoded answer to `history`. Raises Refused."""
    reader = session.reader
    return await reader.history(session.room_id, before=before, after=after, limit=limit)


async def keys_with_people() -> list[str]:
    """Return the keys of the rooms with people in them, unlisted ones too."""
    return list(await roster().member_counts())


async def list_people(key: str) -> PeopleAck:
    """Return everybody in a room."""
    snapshot = await roster().snapshot(key)
    return PeopleAck(people=public_views(snapshot.members), version=snapshot.version)


def _backlog(
    claims: ParticipantClaims, epoch: str, seen: SeenUntil, few: bool
) -> tuple[Entries, int]:
    room = _admitted(room_access.find_room(claims))
    if room.epoch != epoch:  # the room was deleted and made again meanwhile
        raise _closed()
    return room_access.backlog(room, seen, few=few), room.last_seq


def _admitted(room: RoomAccess | None) -> RoomAccess:
    """Return the room if it lets the browser in. Raises Refused."""
    if room is not None and room.removed:
        raise Refused("removed", "You were removed from this room.")
    if room is None or room.closed:
        raise _closed()
    return room


def _closed() -> Refused:
    return Refused("room_closed", "This room is closed.")
