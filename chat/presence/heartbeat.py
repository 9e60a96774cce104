"""The heartbeat: renews the leases of a process and sends a beat to each of its places.

The work is spread over SLICES of HEARTBEAT_INTERVAL_S, so that the event loop never handles all
places at once.
"""

import asyncio
import logging
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple, cast

from django.conf import settings

from chat.errors import Unavailable
from chat.presence.base import Lease, Presence
from chat.presence.roster import JoiningConnection, Roster
from chat.protocol import close_codes, codec
from chat.protocol.messages import BeatEvent, Member
from chat.realtime import connection
from chat.realtime.hub import Hub
from chat.storage import bans, database, history
from chat.storage.history import Head

SLICES = 20  # slices of HEARTBEAT_INTERVAL_S
# For Redis and the database; past that the beat says `ok: false`. A page reconnects after 12 s of
# silence.
QUERY_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)

_Place = tuple[Roster, str]
_Held = tuple[str, JoiningConnection, Member]  # key of the place, connection, record


class _RoomStates(NamedTuple):
    """The state of rooms and their bans in the database."""

    heads: Mapping[str, Head]
    banned: Container[tuple[str, str]]


class Heartbeat:
    """The heartbeat of all places of this process."""

    def __init__(self, hub: Hub, presence: Presence, rosters: Sequence[Roster]) -> None:
        self._hub = hub
        self._presence = presence
        self._rosters = rosters
        self._step = self._repair_step = 0
        self._ended: list[Lease] = []
        self._failed = False
        # When the places of each step were renewed. A step says nothing of other steps.
        self._renewed_at = [asyncio.get_running_loop().time()] * SLICES

    async def beat(self) -> float | None:
        """Renew leases and send beats for one slice.

        After a failure all places are served at once, because the first good beat tells them what
        they missed. Returns the seconds until the next attempt, or None for the usual interval.
        """
        self._step = (self._step + 1) % SLICES
        everywhere = self._failed or self._is_late()
        # Taken once: a member who arrives during the queries receives the next beat.
        step = None if everywhere else self._step
        places = self._places(step)
        # Taken before the queries, so that the answers are newer than the members they are about.
        here = [(key, *one) for roster, key in places for one in roster.held(key)]
        versions, standing = await asyncio.gather(
            self._renewed(places, step), self._asked(places), return_exceptions=True
        )
        if isinstance(standing, _RoomStates):
            self._disconnect_banned(here, standing, redis_answers=isinstance(versions, list))
            self._disconnect_ended()
        if isinstance(standing, _RoomStates) and isinstance(versions, list):
            self._failed = False
            beats = _beats(places, standing, versions)
        else:
            # The connection is fine, and a silent one would make its page reconnect.
            failure = standing if isinstance(standing, BaseException) else versions
            log.warning("renewing failed", exc_info=cast(BaseException, failure))
            self._failed = True
            places = self._places()
            beats = [_beat(0, 0, ok=False)] * len(places)
        for (roster, key), beat in zip(places, beats, strict=True):
            self._hub.beat(roster.group(key), codec.event(beat))
        return settings.HEARTBEAT_INTERVAL_S / 5 if self._failed else None

    async def repair(self) -> None:
        """Repair one slice after a failure between two writes, such as to a room and its call."""
        self._repair_step = (self._repair_step + 1) % SLICES
        places = self._places(self._repair_step)
        for roster in self._rosters:
            keys = [key for one, key in places if one is roster]
            if roster.place_type.repair is None or not keys or self._failed:
                continue
            try:
                await roster.place_type.repair(keys)
            except Unavailable:
                log.warning("a repair waits for Redis", exc_info=True)

    async def renew_if_late(self) -> None:
        """Renew all leases if that is overdue.

        A process that stood still, or waited for its database, would otherwise find the leases of
        its own members ended, and send them out.
        """
        if self._is_late():
            await self._renew()

    def _is_late(self) -> bool:
        late_s: float = settings.PRESENCE_LEASE_S / 2
        return asyncio.get_running_loop().time() - min(self._renewed_at) > late_s

    def _places(self, step: int | None = None) -> list[_Place]:
        return [
            (roster, key)
            for roster in self._rosters
            for key in roster.local_keys()
            if step is None or hash(key) % SLICES == step
        ]

    async def _renew(self, step: int | None = None) -> None:
        """Renew the leases of one step, or all."""
        began = asyncio.get_running_loop().time()
        leases = [lease for roster, key in self._places(step) for lease in roster.leases(key)]
        renewed = await self._presence.renew(leases, settings.PRESENCE_LEASE_S)
        for renewed_step in range(SLICES) if step is None else [step]:
            self._renewed_at[renewed_step] = began
        self._disconnect(renewed.taken, close_codes.REPLACED)
        self._ended += renewed.ended

    def _disconnect_ended(self) -> None:
        """Close the connections of members that were removed while the event of it got lost.

        The database may know a better reason, so this runs after its answer.
        """
        ended, self._ended = self._ended, []
        self._disconnect(ended, close_codes.NORMAL)

    def _disconnect(self, leases: list[Lease], code: int) -> None:
        if leases:
            lines = {lease.connection_id for lease in leases}
            for roster in self._rosters:
                roster.disconnect_by_id(code, lines)

    async def _renewed(self, places: list[_Place], step: int | None) -> list[int]:
        """Renew leases, and return the versions of these places afterwards."""
        await self._renew(step)
        async with asyncio.timeout(QUERY_TIMEOUT_S):
            return await self._presence.versions([roster.place(key) for roster, key in places])

    async def _asked(self, places: list[_Place]) -> _RoomStates:
        keys = list({key for _, key in places})
        if not keys:
            return _RoomStates({}, ())
        async with asyncio.timeout(QUERY_TIMEOUT_S):
            return await database.query(_room_states, keys)

    def _disconnect_banned(
        self, here: list[_Held], standing: _RoomStates, *, redis_answers: bool
    ) -> None:
        """Disconnect members who may not stay and whose close the channel layer has lost.

        A removal waits for Redis. Without Redis nobody else would learn that the member has gone.
        """
        for key, member_connection, record in here:
            head = standing.heads.get(key)
            if head is None or not head.is_open or member_connection.epoch not in ("", head.epoch):
                member_connection.close(close_codes.ROOM_CLOSED)
            elif redis_answers and (key, getattr(record, "browser", None)) in standing.banned:
                member_connection.close(close_codes.REMOVED)


def _room_states(keys: list[str]) -> _RoomStates:
    return _RoomStates(history.room_heads(keys), set(bans.banned_in(keys)))


def _beats(places: list[_Place], standing: _RoomStates, versions: list[int]) -> list[BeatEvent]:
    """The beats of these places."""
    heads = standing.heads
    return [
        _beat(heads[key].seq if key in heads else 0, version)
        for (_, key), version in zip(places, versions, strict=True)
    ]


def _beat(seq: int, version: int, *, ok: bool = True) -> BeatEvent:
    return BeatEvent(
        seq=seq, version=version, ok=ok, return_within_ms=connection.reconnect_window_ms()
    )
