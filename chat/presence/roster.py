"""Rosters: the members of rooms and calls, their leases, and the events of their changes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import msgspec
from django.conf import settings

from chat.errors import LineEnded, Refused, Unavailable
from chat.names import cleaning
from chat.presence.base import Change, Hold, Lease, Presence, Rule, Snapshot, let_go, take, use
from chat.protocol import close_codes, codec
from chat.protocol.messages import Member, Wire
from chat.realtime.hub import Hub, Local

log = logging.getLogger(__name__)


class Entrant(Local, Protocol):
    """A connection whose participant enters."""

    number: int  # the connection's number, as its page counts
    epoch: str  # of the room that it entered, once known

    @property
    def is_open(self) -> bool:
        """Whether the connection has not been told to end."""


class Arrival(Protocol):
    """Makes a welcome or a bye event."""

    def __call__(self, *, person: Any, count: int, version: int) -> Wire: ...


class Update(Protocol):
    """Makes the event of a changed record."""

    def __call__(self, *, person: Any, version: int) -> Wire: ...


class Kind(NamedTuple):
    """A kind of place: the type of its records, and its events."""

    name: str
    record: type[Member]
    welcome: Arrival
    bye: Arrival
    changed: Update
    # Runs after a change and its event, for further consequences.
    after: Callable[[str, Change], Awaitable[None]] | None = None
    # Repairs missing consequences in some places of this process.
    repair: Callable[[Collection[str]], Awaitable[None]] | None = None
    # Maps a record to its form for other members.
    shown: Callable[[Any], Member] = lambda member: member


# Interval of queries for a member who may be entering at another process.
LOOK_EVERY_S = 0.1

# Every process sweeps every kind of place, whichever kinds its own members are in.
KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Register a kind, once, when its service is imported."""
    KINDS[kind.name] = kind
    return kind


# Close codes that are no loss of a connection, so no grace follows.
SENT_OUT = (close_codes.REMOVED, close_codes.ROOM_CLOSED, close_codes.CALL_ENDED)


class _Held(NamedTuple):
    local: Entrant
    record: Member


class Roster:
    """Places of one kind. The process of a member's connection renews its lease."""

    def __init__(self, kind: Kind, hub: Hub, presence: Presence) -> None:
        self.kind = kind
        self._hub = hub
        self._presence = presence
        self._held: dict[str, dict[str, _Held]] = {}  # by key and participant
        self._awaited: dict[tuple[str, str], asyncio.Event] = {}

    async def enter(self, *, key: str, local: Entrant, rule: Rule) -> Change:
        """Let the participant of a connection in by `rule`, until the connection ends.

        A participant who was there already makes no arrival; its older connection is closed.
        Raises the errors of the rule, LineEnded for a connection that was told to end, and Outdated
        if a newer connection of the page was served before. Then nobody has entered.
        """

        def rule_of_open(members: Mapping[str, Member]) -> Member | None:
            if not local.is_open:
                raise LineEnded
            return rule(members)

        group = self.group(key)
        await self._hub.join(group, local)
        try:
            hold = take(local.line, number=local.number, lease_s=settings.LEASE_S)
            change = await self._presence.update(self.place(key), local.id, rule_of_open, hold)
        except BaseException:
            await self._hub.leave(group, local)
            raise
        # Held before anything else can fail: from now on the end of the connection ends the lease.
        if change.after is not None:
            self._held.setdefault(key, {})[local.id] = _Held(local, change.after)
            if awaited := self._awaited.get((key, local.id)):
                awaited.set()
        if change.replaced:
            self._hub.drop(group, close_codes.REPLACED, to=local.id, line=change.replaced)
        await self._tell(key, change)
        return change

    async def change(
        self,
        key: str,
        member_id: str,
        rule: Rule,
        event: Update | None = None,
        *,
        by: Local | None = None,
    ) -> Change:
        """Change the record of a member, and publish `event`.

        Raises Outdated if the change is `by` a connection and a newer one holds the member. Raises
        Refused while a store that has forgotten everything has not recovered the member.
        """
        change = await self._update(key, member_id, rule, event, use(by.line) if by else None)
        if by is not None and change.after is None:
            raise Refused("try_later", "The server has to find you again; one moment.")
        held = self._held.get(key, {}).get(member_id)
        if held is not None and change.after is not None:
            self._held[key][member_id] = held._replace(record=change.after)
        return change

    async def leave(self, key: str, member_id: str) -> Change:
        """Remove a member at once, whichever connection it has."""
        self._let_go(key, member_id)
        return await self._update(key, member_id, lambda _: None)

    async def leave_by(self, key: str, local: Local) -> None:
        """Remove the participant of a connection at once, unless a newer connection holds it."""
        held = self._held.get(key, {}).get(local.id)
        if held is not None and held.local is local:
            self._let_go(key, local.id)
        await self._update(key, local.id, lambda _: None, hold=let_go(local.line))

    async def line_down(self, key: str, local: Local, *, code: int) -> None:
        """Handle the end of a connection: its participant stays for a grace that follows `code`."""
        await self._hub.leave(self.group(key), local)
        held = self._held.get(key, {}).get(local.id)
        if held is None or held.local is not local:
            return  # it has left, or come back on another connection
        self._let_go(key, local.id)
        if code == close_codes.REPLACED:
            return  # it has come back at another process
        if code in SENT_OUT:
            await self._update(key, local.id, lambda _: None, hold=let_go(local.line))
            return
        grace_s = {
            close_codes.GOING_AWAY: settings.GOODBYE_GRACE_S,
            close_codes.SILENT: max(settings.GRACE_S - close_codes.SILENT_S, 0.0),
        }.get(code, settings.GRACE_S)

        def away(members: Mapping[str, Member]) -> Member | None:
            member = members.get(local.id)
            return None if member is None else msgspec.structs.replace(member, here=False)

        # It may have come back at another process, so only this connection lets go.
        await self._update(key, local.id, away, hold=let_go(local.line, lease_s=grace_s))

    async def await_member(self, key: str, member_id: str, *, patience_s: float) -> Member | None:
        """The record of a member, waiting for one that is just entering.

        Returns None if it does not come within `patience_s`.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        arrived = self._awaited.setdefault((key, member_id), asyncio.Event())
        try:
            while True:
                arrived.clear()
                member = (await self.snapshot(key)).members.get(member_id)
                left_s = deadline - loop.time()
                if member is not None or left_s <= 0:
                    return member
                with suppress(TimeoutError):
                    await asyncio.wait_for(arrived.wait(), min(left_s, LOOK_EVERY_S))
        finally:
            self._awaited.pop((key, member_id), None)

    async def snapshot(self, key: str) -> Snapshot:
        return await self._presence.read(self.place(key))

    async def counts(self) -> dict[str, int]:
        """The number of members of each place, by key."""
        return await self._presence.counts(self.kind.name)

    def send(self, key: str, event: Wire, *, to: str | None = None) -> None:
        """Publish an event to a place, or to one participant in it."""
        self._hub.publish(self.group(key), codec.event(event), to=to)

    def drop(self, key: str, code: int, *, to: str | None = None) -> None:
        """Close the connections of a place, or of one participant in it."""
        self._hub.drop(self.group(key), code, to=to)

    def group(self, key: str) -> str:
        return cleaning.group(self.kind.name, key)

    def place(self, key: str) -> str:
        """The name of a place in presence."""
        return f"{self.kind.name}:{key}"

    def held(self, key: str) -> list[tuple[Entrant, Member]]:
        """The members of a place at this process, with their connections."""
        return [(one.local, one.record) for one in self._held.get(key, {}).values()]

    def drop_lines(self, code: int, lines: Collection[str]) -> None:
        """Close these connections, as far as they hold members of this process."""
        for people in self._held.values():
            for held in list(people.values()):
                if held.local.line in lines:
                    held.local.drop(code)

    def local_keys(self) -> Collection[str]:
        """The places with members of this process."""
        return self._held.keys()

    def leases(self, key: str) -> list[Lease]:
        """The leases that this process renews in a place."""
        place = self.place(key)
        held = self._held.get(key, {}).values()
        return [Lease(place, one.record, one.local.line, one.local.number) for one in held]

    def local_count(self) -> int:
        """The number of members of this process in places of this kind."""
        return sum(map(len, self._held.values()))

    async def announce_lost(self, key: str, change: Change) -> None:
        """Publish the end of a lease that ran out."""
        await self._publish(key, change)

    def _let_go(self, key: str, member_id: str) -> None:
        people = self._held.get(key, {})
        people.pop(member_id, None)
        if not people:
            self._held.pop(key, None)

    async def _update(
        self,
        key: str,
        member_id: str,
        rule: Rule,
        event: Update | None = None,
        hold: Hold | None = None,
    ) -> Change:
        change = await self._presence.update(self.place(key), member_id, rule, hold)
        await self._tell(key, change, event)
        return change

    async def _tell(self, key: str, change: Change, event: Update | None = None) -> None:
        if change.before != change.after:
            await self._publish(key, change, event)

    async def _publish(self, key: str, change: Change, event: Update | None = None) -> None:
        kind, version = self.kind, change.version
        person = kind.shown(change.after or change.before)
        if change.after is None:
            message = kind.bye(person=person, count=change.count, version=version)
        elif change.before is None:
            message = kind.welcome(person=person, count=change.count, version=version)
        else:
            message = (event or kind.changed)(person=person, version=version)
        self.send(key, message)
        if kind.after is None:
            return
        try:
            await kind.after(key, change)
        except Unavailable:
            # The change itself is made. The heartbeat repairs its missing consequences.
            log.warning("what follows from a change in %s waits", self.place(key), exc_info=True)
