"""Consistency between the roster of a room and its call.

A room and its call are two places of presence. A process that fails between the two writes, or
loses Redis there, leaves them contradictory. Each change updates both, and heartbeats repair them.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from typing import cast

import msgspec
from django.conf import settings

from chat import runtime
from chat.presence.base import Change
from chat.presence.roster import Roster
from chat.protocol import close_codes
from chat.protocol.messages import Member, Person

ROOM = "chat"
MOST_REMEMBERED = 1_000  # rooms beyond those of this process; more are forgotten


async def call_changed(key: str, change: Change) -> None:
    """Record a join or a leave of a call on the roster of its room."""
    if (change.before is None) != (change.after is None):
        member = cast(Member, change.after or change.before)
        await _mark(key, member.id, on=change.after is not None)


async def _mark(key: str, participant: str, *, on: bool) -> None:

    def rule(members: Mapping[str, Member]) -> Member | None:
        member = members.get(participant)
        return None if member is None else msgspec.structs.replace(member, in_call=on)

    room, _ = _places()
    await room.change(key, participant, rule)


async def room_left(key: str, participant: str) -> None:
    """Remove a participant that has left a room from its call."""
    room, calls = _places()
    if participant in (await room.snapshot(key)).members:
        return  # the participant has come back meanwhile
    for call in calls:
        await call.leave(key, participant)
        call.disconnect(key, close_codes.NORMAL, to=participant)


async def repair(keys: Collection[str]) -> None:
    """Compare rooms with their calls if one of the two has changed since then."""
    await runtime.current().part(_Agreement).check(keys)


class _Agreement:
    """Comparisons of this process, and callers that are not in their room."""

    def __init__(self, _: runtime.Runtime) -> None:
        self._agreed: dict[str, tuple[int, ...]] = {}  # versions of room and calls, by key
        self._strangers: dict[tuple[str, str], float] = {}  # since when, by key and participant

    async def check(self, keys: Collection[str]) -> None:
        room, calls = _places()
        places = [roster.place(key) for key in keys for roster in (room, *calls)]
        found = iter(await runtime.current().presence.versions(places))
        for key, *versions in zip(keys, *[found] * (1 + len(calls)), strict=True):
            if self._agreed.get(key) != tuple(versions) and await self._agree(key, room, calls):
                self._agreed[key] = tuple(versions)
        self._forget(room.local_keys())

    async def _agree(self, key: str, room: Roster, calls: Iterable[Roster]) -> bool:
        """Return whether a room and its calls agree; if not, repair them."""
        members = (await room.snapshot(key)).members
        inside: set[str] = set()
        agree = True
        for call in calls:
            callers = (await call.snapshot(key)).members
            inside |= callers.keys()
            agree &= not callers.keys() - members.keys()
            await self._remove_strangers(key, call, callers.keys() - members.keys())
        for member in members.values():
            if isinstance(member, Person) and member.in_call != (member.id in inside):
                agree = False
                await _mark(key, member.id, on=member.id in inside)
        return agree

    async def _remove_strangers(self, key: str, call: Roster, strangers: Iterable[str]) -> None:
        # After a loss of Redis's data members come back one by one, so callers have a lease's time.
        now = time.monotonic()
        for participant in strangers:
            if (
                now - self._strangers.setdefault((key, participant), now)
                > settings.PRESENCE_LEASE_S
            ):
                await call.leave(key, participant)
                call.disconnect(key, close_codes.NORMAL, to=participant)

    def _forget(self, keys: Collection[str]) -> None:
        if len(self._agreed) > len(keys) + MOST_REMEMBERED:
            self._agreed = {key: seen for key, seen in self._agreed.items() if key in keys}
        latest = time.monotonic() - 2 * settings.PRESENCE_LEASE_S
        self._strangers = {who: at for who, at in self._strangers.items() if at > latest}


def _places() -> tuple[Roster, list[Roster]]:
    """The roster of rooms, and the rosters of calls."""
    rosters = {roster.place_type.name: roster for roster in runtime.current().rosters()}
    return rosters.pop(ROOM), list(rosters.values())
