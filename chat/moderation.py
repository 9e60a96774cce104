"""The service of those who look after rooms: see them live, close, send people out, clear."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils import timezone

from chat import bans, closes, database, rooms, runtime
from chat.messages import ClearedEvent, Person
from chat.models import Message, Room
from chat.residents import residents


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
    for place in runtime.current().rosters():
        place.drop(key, closes.ROOM_CLOSED)


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
    count, last = await database.write(_clear, key)
    if count:
        rooms.people().send(key, ClearedEvent(through=last))
    return count


def _set_closed(key: str, closed: bool) -> None:
    Room.objects.filter(key=key).update(closed_at=timezone.now() if closed else None)


def _clear(key: str) -> tuple[int, int]:
    room = Room.objects.get(key=key)
    return Message.objects.filter(room=room, seq__lte=room.last_seq).delete()[0], room.last_seq
