"""Rosters: the members of rooms and calls, their leases, and the events of their changes."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

import msgspec
from django.conf import settings

from chat.errors import ConnectionEnded, Refused, Unavailable
from chat.names import cleaning
from chat.presence.base import (
    Change,
    Claim,
    Lease,
    Occupancy,
    Presence,
    Snapshot,
    Transition,
    release,
    take,
    use,
)
from chat.presence.place_types import PlaceType, Update
from chat.protocol import close_codes, codec
from chat.protocol.messages import Member, WireType
from chat.realtime.hub import Hub, Subscriber

log = logging.getLogger(__name__)


class JoiningConnection(Subscriber, Protocol):
    """A connection whose participant enters."""

    number: int  # the connection's number, as its page counts
    epoch: str  # of the room that it entered, once known

    @property
    def is_open(self) -> bool:
        """Whether the connection does not end yet."""


# Interval of queries for a member who may be entering at another process.
POLL_INTERVAL_S = 0.1

# Close codes that are no loss of a connection, so no grace follows.
REMOVAL_CODES = (close_codes.REMOVED, close_codes.ROOM_CLOSED, close_codes.CALL_ENDED)


class _Held(NamedTuple):
    connection: JoiningConnection
    record: Member


class Roster:
    """Places of one kind. The process of a member's connection renews its lease."""

    def __init__(self, kind: PlaceType, hub: Hub, presence: Presence) -> None:
        self.place_type = kind
        self._hub = hub
        self._presence = presence
        self._held: dict[str, dict[str, _Held]] = {}  # by key and participant
        self._awaited: dict[tuple[str, str], asyncio.Event] = {}

    async def enter(
        self, *, key: str, connection: JoiningConnection, transition: Transition
    ) -> Change:
        """Let the participant of a connection in by `transition`, until the connection ends.

        A participant who was there already makes no arrival; its older connection is closed.
        Raises the errors of the transition, ConnectionEnded for a connection that should end,
        and Outdated if a newer connection of the page was served before. Then nobody has entered.
        """

        def transition_if_open(members: Mapping[str, Member]) -> Member | None:
            if not connection.is_open:
                raise ConnectionEnded
            return transition(members)

        group = self.group(key)
        await self._hub.subscribe(group, connection)
        try:
            claim = take(
                connection.connection_id,
                number=connection.number,
                lease_s=settings.PRESENCE_LEASE_S,
            )
            change = await self._presence.update(
                self.place(key), connection.id, transition_if_open, claim
            )
        except BaseException:
            await self._hub.unsubscribe(group, connection)
            raise
        # Held before anything else can fail: from now on the end of the connection ends the lease.
        if change.after is not None:
            self._held.setdefault(key, {})[connection.id] = _Held(connection, change.after)
            if awaited := self._awaited.get((key, connection.id)):
                awaited.set()
        if change.replaced:
            self._hub.disconnect(
                group, close_codes.REPLACED, to=connection.id, connection_id=change.replaced
            )
        await self._publish_if_changed(key, change)
        return change

    async def change(
        self,
        key: str,
        member_id: str,
        transition: Transition,
        event: Update | None = None,
        *,
        by: Subscriber | None = None,
    ) -> Change:
        """Change the record of a member, and publish `event`.

        Raises Outdated if the change is `by` a connection and a newer one holds the member. Raises
        Refused while a store that has forgotten everything has not recovered the member.
        """
        change = await self._update(
            key, member_id, transition, event, use(by.connection_id) if by else None
        )
        if by is not None and change.after is None:
            raise Refused("try_later", "The server has to find you again; one moment.")
        held = self._held.get(key, {}).get(member_id)
        if held is not None and change.after is not None:
            self._held[key][member_id] = held._replace(record=change.after)
        return change

    async def leave(self, key: str, member_id: str) -> Change:
        """Remove a member at once, whichever connection it has."""
        self._forget(key, member_id)
        return await self._update(key, member_id, lambda _: None)

    async def leave_by(self, key: str, connection: Subscriber) -> None:
        """Remove the participant of a connection at once, unless a newer connection holds it."""
        held = self._held.get(key, {}).get(connection.id)
        if held is not None and held.connection is connection:
            self._forget(key, connection.id)
        await self._update(
            key, connection.id, lambda _: None, claim=release(connection.connection_id)
        )

    async def connection_lost(self, key: str, connection: Subscriber, *, code: int) -> None:
        """Handle the end of a connection: its participant stays for a grace that follows `code`."""
        await self._hub.unsubscribe(self.group(key), connection)
        held = self._held.get(key, {}).get(connection.id)
        if held is None or held.connection is not connection:
            return  # it has left, or come back on another connection
        self._forget(key, connection.id)
        if code == close_codes.REPLACED:
            return  # it has come back at another process
        if code in REMOVAL_CODES:
            await self._update(
                key, connection.id, lambda _: None, claim=release(connection.connection_id)
            )
            return
        grace_s = {
            close_codes.GOING_AWAY: settings.RELOAD_GRACE_S,
            close_codes.SILENT: max(settings.RECONNECT_GRACE_S - close_codes.SILENT_S, 0.0),
        }.get(code, settings.RECONNECT_GRACE_S)

        def away(members: Mapping[str, Member]) -> Member | None:
            member = members.get(connection.id)
            return None if member is None else msgspec.structs.replace(member, here=False)

        # It may have come back at another process, so only this connection lets go.
        await self._update(
            key, connection.id, away, claim=release(connection.connection_id, lease_s=grace_s)
        )

    async def await_member(self, key: str, member_id: str, *, timeout_s: float) -> Member | None:
        """The record of a member, waiting for one that is just entering.

        Returns None if it does not come within `timeout_s`.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        arrived = self._awaited.setdefault((key, member_id), asyncio.Event())
        try:
            while True:
                arrived.clear()
                member = (await self.snapshot(key)).members.get(member_id)
                left_s = deadline - loop.time()
                if member is not None or left_s <= 0:
                    return member
                with suppress(TimeoutError):
                    await asyncio.wait_for(arrived.wait(), min(left_s, POLL_INTERVAL_S))
        finally:
            self._awaited.pop((key, member_id), None)

    async def snapshot(self, key: str) -> Snapshot:
        return await self._presence.read(self.place(key))

    async def read_many(self, keys: Sequence[str]) -> list[Occupancy]:
        """These places, with the process of each member."""
        return await self._presence.read_many([self.place(key) for key in keys])

    async def member_counts(self) -> dict[str, int]:
        """The number of members of each place, by key."""
        return await self._presence.member_counts(self.place_type.name)

    def publish(
        self, key: str, event: WireType, *, to: str | None = None, session_id: str | None = None
    ) -> None:
        """Publish an event to a place, or to one participant in it, or to one session of that."""
        self._hub.publish(self.group(key), codec.event(event), to=to, session_id=session_id)

    def disconnect(self, key: str, code: int, *, to: str | None = None) -> None:
        """Close the connections of a place, or of one participant in it."""
        self._hub.disconnect(self.group(key), code, to=to)

    def group(self, key: str) -> str:
        return cleaning.group(self.place_type.name, key)

    def place(self, key: str) -> str:
        """The name of a place in presence."""
        return f"{self.place_type.name}:{key}"

    def held(self, key: str) -> list[tuple[JoiningConnection, Member]]:
        """The members of a place at this process, with their connections."""
        return [(one.connection, one.record) for one in self._held.get(key, {}).values()]

    def disconnect_by_id(self, code: int, lines: Collection[str]) -> None:
        """Close these connections, as far as they hold members of this process."""
        for people in self._held.values():
            for held in list(people.values()):
                if held.connection.connection_id in lines:
                    held.connection.close(code)

    def local_keys(self) -> Collection[str]:
        """The places with members of this process."""
        return self._held.keys()

    def leases(self, key: str) -> list[Lease]:
        """The leases that this process renews in a place."""
        place = self.place(key)
        held = self._held.get(key, {}).values()
        return [
            Lease(place, one.record, one.connection.connection_id, one.connection.number)
            for one in held
        ]

    def local_count(self) -> int:
        """The number of members of this process in places of this kind."""
        return sum(map(len, self._held.values()))

    async def announce_lost(self, key: str, change: Change) -> None:
        """Publish the end of a lease that ran out."""
        await self._publish(key, change)

    def _forget(self, key: str, member_id: str) -> None:
        people = self._held.get(key, {})
        people.pop(member_id, None)
        if not people:
            self._held.pop(key, None)

    async def _update(
        self,
        key: str,
        member_id: str,
        transition: Transition,
        event: Update | None = None,
        claim: Claim | None = None,
    ) -> Change:
        change = await self._presence.update(self.place(key), member_id, transition, claim)
        await self._publish_if_changed(key, change, event)
        return change

    async def _publish_if_changed(
        self, key: str, change: Change, event: Update | None = None
    ) -> None:
        if change.before != change.after:
            await self._publish(key, change, event)

    async def _publish(self, key: str, change: Change, event: Update | None = None) -> None:
        kind, version = self.place_type, change.version
        person = kind.public_view(change.after or change.before)
        if change.after is None:
            message = kind.bye(person=person, count=change.count, version=version)
        elif change.before is None:
            message = kind.welcome(person=person, count=change.count, version=version)
        else:
            message = (event or kind.changed)(person=person, version=version)
        self.publish(key, message)
        if kind.on_change is None:
            return
        try:
            await kind.on_change(key, change)
        except Unavailable:
            # The change itself is made. The heartbeat repairs its missing consequences.
            log.warning("what follows from a change in %s waits", self.place(key), exc_info=True)
