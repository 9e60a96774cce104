"""What keeps a process's people in: their leases renewed, and a beat for each place they are in.

Not all in one go, for which everybody else would wait: each step takes some of the places, and each
place has its turn once in RENEW_S.
"""

import asyncio
import logging
from collections.abc import Sequence

from django.conf import settings

from chat import bans, closes, database, journal, line, protocol
from chat.errors import Unavailable
from chat.hub import Hub
from chat.messages import BeatEvent
from chat.presence import Presence
from chat.roster import Roster

STEPS = 20  # in RENEW_S
PATIENCE_S = 2.0  # with what the beats tell of; a page gives up a line that is silent for a dozen

log = logging.getLogger(__name__)

_Place = tuple[Roster, str]


class Heart:
    """Renews and beats for all kinds of places of this process."""

    def __init__(self, hub: Hub, presence: Presence, rosters: Sequence[Roster]) -> None:
        self._hub = hub
        self._presence = presence
        self._rosters = rosters
        self._step = self._repair_step = 0
        self._failed = False
        self._renewed_at = asyncio.get_running_loop().time()

    async def beat(self) -> float | None:
        """One step; after a failure all places at once, since what they missed is told by the first
        good beat. Returns after how many seconds to try again, if not at the usual time."""
        self._step = (self._step + 1) % STEPS
        everywhere = self._failed or self._is_late()
        # Taken once: who comes while we wait for the answers gets the next beat.
        places = self._places() if everywhere else self._places(self._step)
        try:
            await self._renew(places)
            async with asyncio.timeout(PATIENCE_S):
                beats = await self._beats(places)
                await self._send_out({key for _, key in places})
            self._failed = False
        except Exception:
            # The line is fine even if what is behind it is not: a silent one would be given up.
            log.warning("renewing failed", exc_info=True)
            self._failed = True
            places = self._places()
            beats = [_beat(0, 0, ok=False)] * len(places)
        for (roster, key), beat in zip(places, beats, strict=True):
            self._hub.beat(roster.group(key), protocol.event(beat))
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
            await self._renew(self._places())

    def _is_late(self) -> bool:
        late_s: float = settings.LEASE_S / 3
        return asyncio.get_running_loop().time() - self._renewed_at > late_s

    def _places(self, step: int | None = None) -> list[_Place]:
        return [
            (roster, key)
            for roster in self._rosters
            for key in roster.local_keys()
            if step is None or hash(key) % STEPS == step
        ]

    async def _renew(self, places: list[_Place]) -> None:
        began = asyncio.get_running_loop().time()
        leases = [lease for roster, key in places for lease in roster.leases(key)]
        renewed = await self._presence.renew(leases, settings.LEASE_S)
        self._renewed_at = began
        if any(renewed):
            for roster in self._rosters:
                roster.drop_not_renewed(renewed)

    async def _beats(self, places: list[_Place]) -> list[BeatEvent]:
        """What to say in each of these places."""
        if not places:
            return []
        heads = await database.read(journal.heads, list({key for _, key in places}))
        versions = await self._presence.versions([roster.place(key) for roster, key in places])
        return [
            _beat(heads.get(key, 0), version)
            for (_, key), version in zip(places, versions, strict=True)
        ]

    async def _send_out(self, keys: set[str]) -> None:
        """Whoever was removed while the layer lost the word of it goes now."""
        banned = set(await database.read(bans.among, keys)) if keys else set()
        if banned:
            for roster in self._rosters:
                roster.drop_here(closes.REMOVED, banned)


def _beat(seq: int, version: int, *, ok: bool = True) -> BeatEvent:
    return BeatEvent(seq=seq, version=version, ok=ok, return_within_ms=line.return_within_ms())
