"""The service of moderators: see, close and clear rooms, remove people."""

import asyncio
import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone

from chat import runtime
from chat.errors import Refused, Unavailable
from chat.models import Message, Room
from chat.names import cleaning
from chat.presence.base import Snapshot
from chat.protocol import close_codes
from chat.protocol.messages import ADMINISTRATOR, Person
from chat.services import rooms
from chat.services.room_members import RoomMemberRecord, member_records
from chat.storage import bans, database, deletions
from chat.storage.journal import RoomGone

DELETING_PATIENCE_S = 5.0  # an admin waits so long; the deletion then goes on
MOST_REMEMBERED = 1_000  # rooms at which admins looked last; others are forgotten

log = logging.getLogger(__name__)

# Members of a room when an admin last looked, so that the admin can remove them without Redis.
_remembered: dict[str, list[RoomMemberRecord]] = {}


@dataclass(frozen=True)
class LiveRoom:
    """A room as it is now; while Redis is away, as an admin saw it last."""

    people: list[Person] = field(default_factory=list)
    holders: Mapping[str, str] = field(default_factory=dict)  # process, by participant
    is_current: bool = True

    @property
    def in_call(self) -> int:
        return sum(person.in_call for person in self.people)

    @property
    def since(self) -> datetime | None:
        """The arrival of the member who has been in the room longest."""
        first = min((person.since for person in self.people), default=None)
        return None if first is None else datetime.fromtimestamp(first / 1000, UTC)

    @property
    def processes(self) -> list[str]:
        return sorted(set(self.holders.values()))


async def live_keys() -> list[str]:
    """Return the keys of the rooms with people in them, unlisted ones too."""
    return await rooms.keys_with_people()


async def live(keys: list[str]) -> dict[str, LiveRoom]:
    """Return live data of these rooms."""
    try:
        occupancies = await rooms.roster().read_many(keys)
    except Unavailable:
        log.warning("Redis is away: who is in the rooms is not known", exc_info=True)
        return {key: LiveRoom([*_remembered.get(key, [])], is_current=False) for key in keys}
    return {
        key: LiveRoom([*_remember(key, occupancy.snapshot)], occupancy.processes)
        for key, occupancy in zip(keys, occupancies, strict=True)
    }


@dataclass(frozen=True)
class Whereabouts:
    """A person in a room, now."""

    person: Person
    room: Room
    process: str

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self.person.since / 1000, UTC)


async def everyone(query: str = "") -> list[Whereabouts]:
    """List the people in all rooms by nickname; `query` searches both names."""
    keys = await live_keys()
    known = await database.query(_rooms, keys)
    wanted = query.casefold()
    found = []
    for key, room in (await live(list(known))).items():
        whole = wanted in known[key].name.casefold() or wanted in key
        found += [
            Whereabouts(person, known[key], room.holders.get(person.id, ""))
            for person in room.people
            if whole or wanted in person.nickname.casefold()
        ]
    return sorted(found, key=lambda one: (one.person.nickname.casefold(), one.room.key))


async def close(key: str) -> None:
    """Close a room: send everybody out, and let nobody in."""
    await database.query(_set_closed, key, True)
    _send_all_out(key)


async def reopen(key: str) -> None:
    """Open a closed room again."""
    await database.query(_set_closed, key, False)


async def remove(key: str, participant: str) -> bool:
    """Remove a participant with all pages of its browser, and ban that browser.

    Returns False, without any change, if the participant is not in the room any more. Raises
    Unavailable, without any change, if Redis is away and this process does not know the browser.
    """
    try:
        here = _remember(key, await rooms.roster().snapshot(key))
    except Unavailable:
        if key not in _remembered:
            raise
        here = _remembered[key]
    found = next((one for one in here if one.id == participant), None)
    if found is None:
        return False
    # The ban comes first, so that the browser cannot enter again during the removal.
    await database.query(bans.add, key, found.browser, found.nickname)
    for one in here:
        if one.browser == found.browser:
            for place in runtime.current().rosters():
                place.disconnect(key, close_codes.REMOVED, to=one.id)
            try:
                await rooms.roster().leave(key, one.id)
            except Unavailable:
                log.warning("the next heartbeat after Redis is back makes up for a removal")
    return True


async def end_call(key: str) -> int:
    """Remove everybody from the call, but not from the room; return how many."""
    sent_out = 0
    for place in runtime.current().rosters():
        if place.place_type is rooms.PEOPLE:
            continue
        for participant in (await place.snapshot(key)).members:
            place.disconnect(key, close_codes.CALL_ENDED, to=participant)
            await place.leave(key, participant)
            sent_out += 1
    return sent_out


async def announce(keys: Iterable[str], text: str) -> int:
    """Say something in these rooms as the administrator; return in how many.

    An announcement is a message of the journal, numbered, kept, and sent to people who come later.
    Raises Refused for an empty text, JournalFull, and errors of the database.
    """
    text = cleaning.clean_text(text)
    if not text:
        raise Refused("empty_message", "There is nothing in this message.")
    found = await database.query(_ids, list(keys))
    return sum(await asyncio.gather(*(_announce(key, pk, text) for key, pk in found.items())))


async def _announce(key: str, room_id: int, text: str) -> bool:
    try:
        await runtime.current().journal.append(
            room_id=room_id,
            participant=ADMINISTRATOR,
            nickname="",
            text=text,
            client_id=str(uuid.uuid4()),
            publish=partial(rooms.roster().publish, key),
        )
    except RoomGone:
        return False
    return True


async def let_back_in(ban: int) -> None:
    """Lift the ban of a browser, which may enter the room again."""
    await database.query(bans.remove, ban)


async def clear(key: str) -> bool:
    """Delete all messages of a room; return False if this goes on."""
    return await delete_soon(await database.query(_said, key))


async def delete_messages(messages: QuerySet[Message]) -> int:
    """Delete these messages, of any rooms, in pieces; return how many.

    The rooms receive the deletions.
    """
    return await deletions.delete_messages(messages, rooms.roster().publish)


async def delete_soon(messages: QuerySet[Message]) -> bool:
    """Delete messages for a request that waits a while.

    Returns False if the deletion goes on without it.
    """
    return await runtime.current().run_job(delete_messages(messages), timeout_s=DELETING_PATIENCE_S)


async def delete(key: str) -> bool:
    """Delete a room: send everybody out, let nobody in, then delete its messages.

    Returns False if this goes on. Until its end the room's address is closed.
    """
    if await deletions.mark_room(key) is None:
        return True
    _send_all_out(key)
    here = runtime.current()
    return await here.run_job(here.finish_rooms(), timeout_s=DELETING_PATIENCE_S)


def _remember(key: str, snapshot: Snapshot) -> list[RoomMemberRecord]:
    """Return the members of a room, and keep them for a removal while Redis is away."""
    members = member_records(snapshot.members)
    _remembered.pop(key, None)
    _remembered[key] = members
    if len(_remembered) > MOST_REMEMBERED:
        del _remembered[next(iter(_remembered))]
    return members


def _rooms(keys: list[str]) -> dict[str, Room]:
    return {room.key: room for room in Room.objects.filter(key__in=keys, deleted_at=None)}


def _ids(keys: list[str]) -> dict[str, int]:
    found = Room.objects.filter(key__in=keys, deleted_at=None)
    return dict(found.values_list("key", "pk"))


def _set_closed(key: str, closed: bool) -> None:
    room = Room.objects.filter(key=key, deleted_at=None)
    room.update(closed_at=timezone.now() if closed else None)


def _send_all_out(key: str) -> None:
    for place in runtime.current().rosters():
        place.disconnect(key, close_codes.ROOM_CLOSED)


def _said(key: str) -> QuerySet[Message]:
    """The messages of a room until now."""
    room = Room.objects.get(key=key)
    return Message.objects.filter(room=room, seq__lte=room.last_seq)
