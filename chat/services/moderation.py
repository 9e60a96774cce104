"""The service of those who look after rooms: see them live, close, send people out, clear."""

import asyncio
import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from django.db.models import QuerySet
from django.utils import timezone

from chat import runtime
from chat.errors import Refused, Unavailable
from chat.models import Message, Room
from chat.names import cleaning
from chat.protocol import close_codes
from chat.protocol.messages import ADMINISTRATOR, NewMessageEvent, Person
from chat.protocol.messages import Message as Said
from chat.services import rooms
from chat.services.room_members import Resident, residents
from chat.storage import bans, database, deletions
from chat.storage.journal import RoomGone

DELETING_PATIENCE_S = 5.0  # of an admin who deletes a room: a long one takes longer
MOST_REMEMBERED = 1_000  # rooms; those at which admins looked last

log = logging.getLogger(__name__)

# Who was in a room when an admin last looked: whom a page shows, it can remove without Redis too.
_remembered: dict[str, list[Resident]] = {}


@dataclass(frozen=True)
class LiveRoom:
    """A room as it is now; as it was when somebody last looked, while Redis is away."""

    people: list[Person] = field(default_factory=list)
    holders: Mapping[str, str] = field(default_factory=dict)  # process, by participant
    is_current: bool = True

    @property
    def in_call(self) -> int:
        return sum(person.in_call for person in self.people)

    @property
    def since(self) -> datetime | None:
        """When the first of those who are there came."""
        first = min((person.since for person in self.people), default=None)
        return None if first is None else datetime.fromtimestamp(first / 1000, UTC)

    @property
    def processes(self) -> list[str]:
        return sorted(set(self.holders.values()))


async def live_keys() -> list[str]:
    """The keys of the rooms with people in them, unlisted ones too."""
    return await rooms.live_keys()


async def live(keys: list[str]) -> dict[str, LiveRoom]:
    """These rooms as they are now."""
    found: dict[str, LiveRoom] = {}
    try:
        for key in keys:
            found[key] = await _live(key)
    except Unavailable:
        log.warning("Redis is away: who is in the rooms is not known", exc_info=True)
        for key in keys:
            found.setdefault(key, LiveRoom([*_remembered.get(key, [])], is_current=False))
    return found


@dataclass(frozen=True)
class Whereabouts:
    """A person, in a room, now."""

    person: Person
    room: Room
    process: str

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self.person.since / 1000, UTC)


async def everyone(query: str = "") -> list[Whereabouts]:
    """Everybody in all rooms, by nickname; with a query those whose nickname or room has it."""
    keys = await live_keys()
    known = await database.read(_rooms, keys)
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
    """Closes a room: nobody gets in, and who is in is told and sent out."""
    await database.read(_set_closed, key, True)
    _send_all_out(key)


async def reopen(key: str) -> None:
    """Opens a closed room again."""
    await database.read(_set_closed, key, False)


async def remove(key: str, participant: str) -> bool:
    """Sends a participant out of a room, with all pages of its browser, and keeps that browser out.

    False, and nothing was done, if the participant is not there any more. Raises Unavailable, and
    nothing was done, if Redis is away and it is not known here who that is.
    """
    try:
        here = await _residents(key)
    except Unavailable:
        if key not in _remembered:
            raise
        here = _remembered[key]
    found = next((one for one in here if one.id == participant), None)
    if found is None:
        return False
    # First, so that whoever comes back in this moment finds the door shut.
    await database.read(bans.record, key, found.browser, found.nickname)
    for one in here:
        if one.browser == found.browser:
            for place in runtime.current().rosters():
                place.drop(key, close_codes.REMOVED, to=one.id)
            try:
                await rooms.people().leave(key, one.id)
            except Unavailable:
                log.warning("the next heartbeat after Redis is back makes up for a removal")
    return True


async def end_call(key: str) -> int:
    """Sends everyone out of the call of a room, who all stay in the room; returns how many."""
    sent_out = 0
    for place in runtime.current().rosters():
        if place.kind is rooms.PEOPLE:
            continue
        for participant in (await place.snapshot(key)).members:
            place.drop(key, close_codes.CALL_ENDED, to=participant)
            await place.leave(key, participant)
            sent_out += 1
    return sent_out


async def announce(keys: Iterable[str], text: str) -> int:
    """Says something in these rooms as the administrator; returns in how many it was stored.

    It is a message of the journal like any other: numbered, kept, and read by those who come later.
    Raises Refused: there is nothing to see in it. JournalFull, and what the database raises.
    """
    text = cleaning.clean_text(text)
    if not text:
        raise Refused("empty_message", "There is nothing in this message.")
    found = await database.read(_ids, list(keys))
    return sum(await asyncio.gather(*(_announce(key, pk, text) for key, pk in found.items())))


async def _announce(key: str, room_id: int, text: str) -> bool:
    def publish(message: Said) -> None:
        rooms.people().send(key, NewMessageEvent(**msgspec.structs.asdict(message)))

    try:
        await runtime.current().journal.append(
            room_id=room_id,
            participant=ADMINISTRATOR,
            nickname="",
            text=text,
            client_id=str(uuid.uuid4()),
            publish=publish,
        )
    except RoomGone:
        return False
    return True


async def let_back_in(ban: int) -> None:
    """Lets a browser that was removed from a room enter it again."""
    await database.read(bans.lift, ban)


async def clear(key: str) -> bool:
    """Deletes all messages of a room and tells it; False: they are still being deleted."""
    return await delete_soon(await database.read(_said, key))


async def delete_messages(messages: QuerySet[Message]) -> int:
    """Deletes these messages, of whichever rooms, and tells the rooms; returns how many.

    In pieces: it may take long. This is the one way in which a message goes.
    """
    return await deletions.delete_messages(messages, rooms.people().send)


async def delete_soon(messages: QuerySet[Message]) -> bool:
    """The same for a request, which waits for a while; False: they are still being deleted."""
    return await runtime.current().work(delete_messages(messages), patience_s=DELETING_PATIENCE_S)


async def delete(key: str) -> bool:
    """Deletes a room: nobody gets in, who is in is told and sent out, then its messages go.

    False: they are many, and are still being deleted. Until then the room's address is closed.
    """
    if await deletions.mark_room(key) is None:
        return True
    _send_all_out(key)
    here = runtime.current()
    return await here.work(here.finish_rooms(), patience_s=DELETING_PATIENCE_S)


async def _live(key: str) -> LiveRoom:
    people = await _residents(key)
    place = rooms.people().place(key)
    return LiveRoom([*people], await runtime.current().presence.holders(place))


async def _residents(key: str) -> list[Resident]:
    found = residents((await rooms.people().snapshot(key)).members)
    _remembered.pop(key, None)
    _remembered[key] = found
    if len(_remembered) > MOST_REMEMBERED:
        del _remembered[next(iter(_remembered))]
    return found


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
        place.drop(key, close_codes.ROOM_CLOSED)


def _said(key: str) -> QuerySet[Message]:
    """What was said in a room until now."""
    room = Room.objects.get(key=key)
    return Message.objects.filter(room=room, seq__lte=room.last_seq)
