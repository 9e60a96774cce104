"""What keeps a process's people in: their leases renewed, and a beat for each place they are in.

Not all in one go, for which everybody else would wait: each step takes some of the places, and each
place has its turn once in RENEW_S.
"""

import asyncio
import logging
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple, cast

from django.conf import settings

from chat.errors import Unavailable
from chat.presence.base import Lease, Presence
from chat.presence.roster import Entrant, Roster
from chat.protocol import close_codes, codec
from chat.protocol.messages import BeatEvent, Member
from chat.realtime import connection
from chat.realtime.hub import Hub
from chat.storage import bans, database, history
from chat.storage.history import Head

STEPS = 20  # in RENEW_S
PATIENCE_S = 2.0  # with what the beats tell of; a page gives up a line that is silent for a dozen

log = logging.getLogger(__name__)

_Place = tuple[Roster, str]
_Held = tuple[str, Entrant, Member]  # in the place with this key


class _Standing(NamedTuple):
    """What the database says of rooms and of those in them."""

    heads: Mapping[str, Head]
    banned: Container[tuple[str, str]]


class Heart:
    """Renews and beats for all kinds of places of this process."""

    def __init__(self, hub: Hub, presence: Presence, rosters: Sequence[Roster]) -> None:
        self._hub = hub
        self._presence = presence
        self._rosters = rosters
        self._step = self._repair_step = 0
        self._ended: list[Lease] = []
        self._failed = False
        # When the places of each step were renewed: one step says nothing of the others.
        self._renewed_at = [asyncio.get_running_loop().time()] * STEPS

    async def beat(self) -> float | None:
        """One step; after a failure all places at once, since what they missed is told by the first
        good beat. Returns after how many seconds to try again, if not at the usual time."""
        self._step = (self._step + 1) % STEPS
        everywhere = self._failed or self._is_late()
        # Taken once: who comes while we wait for the answers gets the next beat.
        step = None if everywhere else self._step
        places = self._places(step)
        # Taken before the questions: the answers are newer than whoever they are about.
        here = [(key, *one) for roster, key in places for one in roster.held(key)]
        versions, standing = await asyncio.gather(
            self._renewed(places, step), self._asked(places), return_exceptions=True
        )
        if isinstance(standing, _Standing):
            self._send_out(here, standing, redis_answers=isinstance(versions, list))
            self._drop_ended()
        if isinstance(standing, _Standing) and isinstance(versions, list):
            self._failed = False
            beats = _beats(places, standing, versions)
        else:
            # The line is fine even if what is behind it is not: a silent one would be given up.
            failure = standing if isinstance(standing, BaseException) else versions
            log.warning("renewing failed", exc_info=cast(BaseException, failure))
            self._failed = True
            places = self._places()
            beats = [_beat(0, 0, ok=False)] * len(places)
        for (roster, key), beat in zip(places, beats, strict=True):
            self._hub.beat(roster.group(key), codec.event(beat))
        return settings.RENEW_S / 5 if self._failed else None

    async def repair(self) -> None:
        """One step: makes up for what a failure between two writes has left undone."""
        self._repair_step = (self._repair_step + 1) % STEPS
        places = self._places(self._repair_step)
        for roster in self._rosters:
            keys = [key for one, key in places if one is roster]
            if roster.kind.repair is None or not keys or self._failed:
                continue
            try:
                await roster.kind.repair(keys)
            except Unavailable:
                log.warning("a repair waits for Redis", exc_info=True)

    async def catch_up(self) -> None:
        """Renews all leases if that is overdue.

        For a process that stood still, or waited for its database, would else find the leases of
        its own people ended, and send them out.
        """
        if self._is_late():
            await self._renew()

    def _is_late(self) -> bool:
        late_s: float = settings.LEASE_S / 2
        return asyncio.get_running_loop().time() - min(self._renewed_at) > late_s

    def _places(self, step: int | None = None) -> list[_Place]:
        return [
            (roster, key)
            for roster in self._rosters
            for key in roster.local_keys()
            if step is None or hash(key) % STEPS == step
        ]

    async def _renew(self, step: int | None = None) -> None:
        """Renews the leases of one step, or all."""
        began = asyncio.get_running_loop().time()
        leases = [lease for roster, key in self._places(step) for lease in roster.leases(key)]
        renewed = await self._presence.renew(leases, settings.LEASE_S)
        for renewed_step in range(STEPS) if step is None else [step]:
            self._renewed_at[renewed_step] = began
        self._drop(renewed.taken, close_codes.REPLACED)
        self._ended += renewed.ended

    def _drop_ended(self) -> None:
        """Closes the sockets of those who were removed while the word of it got lost.

        The database may know a better reason, so this comes after its answer.
        """
        ended, self._ended = self._ended, []
        self._drop(ended, close_codes.NORMAL)

    def _drop(self, leases: list[Lease], code: int) -> None:
        if leases:
            lines = {lease.line for lease in leases}
            for roster in self._rosters:
                roster.drop_lines(code, lines)

    async def _renewed(self, places: list[_Place], step: int | None) -> list[int]:
        """Renews; returns the versions of these places afterwards."""
        await self._renew(step)
        async with asyncio.timeout(PATIENCE_S):
            return await self._presence.versions([roster.place(key) for roster, key in places])

    async def _asked(self, places: list[_Place]) -> _Standing:
        keys = list({key for _, key in places})
        if not keys:
            return _Standing({}, ())
        async with asyncio.timeout(PATIENCE_S):
            return await database.read(_standing, keys)

    def _send_out(self, here: list[_Held], standing: _Standing, *, redis_answers: bool) -> None:
        """Sends out whoever may not stay and whose close the layer has lost.

        A removal waits for Redis: without it nobody else would learn that the removed has gone.
        """
        for key, local, record in here:
            head = standing.heads.get(key)
            if head is None or not head.is_open or local.epoch not in ("", head.epoch):
                local.drop(close_codes.ROOM_CLOSED)
            elif redis_answers and (key, getattr(record, "browser", None)) in standing.banned:
                local.drop(close_codes.REMOVED)


def _standing(keys: list[str]) -> _Standing:
    return _Standing(history.heads(keys), set(bans.among(keys)))


def _beats(places: list[_Place], standing: _Standing, versions: list[int]) -> list[BeatEvent]:
    """What to say in each of these places."""
    heads = standing.heads
    return [
        _beat(heads[key].seq if key in heads else 0, version)
        for (_, key), version in zip(places, versions, strict=True)
    ]


def _beat(seq: int, version: int, *, ok: bool = True) -> BeatEvent:
    return BeatEvent(
        seq=seq, version=version, ok=ok, return_within_ms=connection.return_within_ms()
    )
