"""The service of those who look after rooms: see them live, close, send people out, clear."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import QuerySet
from django.utils import timezone

from chat import bans, closes, database, deletions, rooms, runtime
from chat.messages import Person
from chat.models import Message, Room
from chat.residents import residents

DELETING_PATIENCE_S = 5.0  # of an admin who deletes a room: a long one takes longer


@dataclass(frozen=True)
class LiveRoom:
    """A room as it is now."""

    people: list[Person] = field(default_factory=list)
    holders: Mapping[str, str] = field(default_factory=dict)  # process, by participant

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
    return list(await rooms.people().counts())


async def live(keys: list[str]) -> dict[str, LiveRoom]:
    """These rooms as they are now."""
    roster = rooms.people()
    found = {}
    for key in keys:
        members = (await roster.snapshot(key)).members
        holders = await runtime.current().presence.holders(roster.place(key))
        found[key] = LiveRoom([*residents(members)], holders)
    return found


async def close(key: str) -> None:
    """Closes a room: nobody gets in, and who is in is told and sent out."""
    await database.read(_set_closed, key, True)
    _send_all_out(key)


async def reopen(key: str) -> None:
    """Opens a closed room again."""
    await database.read(_set_closed, key, False)


async def remove(key: str, participant: str) -> bool:
    """Sends a participant out of a room, with all pages of its browser, and keeps that browser out.

    False, and nothing was done, if the participant is not there any more.
    """
    here = residents((await rooms.people().snapshot(key)).members)
    found = next((one for one in here if one.id == participant), None)
    if found is None:
        return False
    # First, so that whoever comes back in this moment finds the door shut.
    await database.read(bans.record, key, found.browser, found.nickname)
    for one in here:
        if one.browser == found.browser:
            for place in runtime.current().rosters():
                place.drop(key, closes.REMOVED, to=one.id)
            await rooms.people().leave(key, one.id)
    return True


async def let_back_in(ban: int) -> None:
    """Lets a browser that was removed from a room enter it again."""
    await database.read(bans.lift, ban)


async def clear(key: str) -> int:
    """Deletes all messages of a room and tells it; returns how many there were."""
    return await delete_messages(await database.read(_said, key))


async def delete_messages(messages: QuerySet[Message]) -> int:
    """Deletes these messages, of whichever rooms, and tells the rooms; returns how many.

    In pieces: what is deleted may be long. This is the one way in which a message goes.
    """
    return await deletions.delete_messages(messages, rooms.people().send)


async def delete(key: str) -> bool:
    """Deletes a room: nobody gets in, who is in is told and sent out, then its messages go.

    False: they are many, and are still being deleted. Until then the room's address is closed.
    """
    if await deletions.mark_room(key) is None:
        return True
    _send_all_out(key)
    return await runtime.current().finish_rooms(patience_s=DELETING_PATIENCE_S)


def _set_closed(key: str, closed: bool) -> None:
    room = Room.objects.filter(key=key, deleted_at=None)
    room.update(closed_at=timezone.now() if closed else None)


def _send_all_out(key: str) -> None:
    for place in runtime.current().rosters():
        place.drop(key, closes.ROOM_CLOSED)


def _said(key: str) -> QuerySet[Message]:
    """What was said in a room until now."""
    room = Room.objects.get(key=key)
    return Message.objects.filter(room=room, seq__lte=room.last_seq)
