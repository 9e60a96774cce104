"""Presence of a single process, in memory."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from chat.errors import Outdated
from chat.presence.base import (
    REMEMBER_END_S,
    Action,
    Change,
    Claim,
    Expired,
    Lease,
    Occupancy,
    Renewed,
    Snapshot,
    Swept,
    Transition,
)
from chat.protocol.messages import Member


@dataclass(slots=True)
class _Lease:
    record: Member
    until: float
    connection_id: str
    number: int
    released: bool = False

    def is_held_by(self, connection_id: str) -> bool:
        return self.connection_id == connection_id and not self.released


@dataclass(slots=True)
class _Place:
    version: int
    leases: dict[str, _Lease] = field(default_factory=dict)

    def living(self, now: float) -> dict[str, Member]:
        return {i: lease.record for i, lease in self.leases.items() if lease.until > now}


class MemoryPresence:
    """Presence of one process. No method awaits inside, so each is one atomic step."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, process: str = "this process"
    ) -> None:
        self._clock = clock
        self._process = process
        self._places: dict[str, _Place] = {}
        self._highest = 0  # the highest version of a place that has ended
        # The number of the last connection of removed members, and until when it counts.
        self._ended: dict[tuple[str, str], tuple[int, float]] = {}

    async def read(self, place: str) -> Snapshot:
        here = self._places.get(place)
        return Snapshot(here.version, here.living(self._clock())) if here else Snapshot(0, {})

    async def update(
        self, place: str, member_id: str, transition: Transition, claim: Claim | None = None
    ) -> Change:
        now = self._clock()
        here = self._places.get(place) or self._new_place()
        members = here.living(now)
        before, after = members.get(member_id), transition(members)
        known = here.leases.get(member_id)
        if claim is not None and self._is_outdated(place, member_id, known, claim):
            if claim.action is not Action.RELEASE:
                raise Outdated(claim.connection_id)
            return Change(before, before, len(members), here.version, members)
        held = known.connection_id if known else ""
        # A lease that ran out but is not swept yet goes to a page that is back, or else to
        # `expire`, which announces its end.
        if claim is not None and claim.action is Action.TAKE and after is not None:
            here.leases[member_id] = _Lease(
                after, now + claim.lease_s, claim.connection_id, claim.number
            )
            self._places[place] = here
            self._ended.pop((place, member_id), None)
        elif known is None or before is None:
            after = before  # only a take lets a member in
        elif after is None:
            self._remember_end(place, member_id, here.leases.pop(member_id))
        else:
            known.record = after
            if claim is not None and claim.action is Action.RELEASE:
                known.until, known.released = now + claim.lease_s, True
        if after != before:
            here.version += 1
        living = here.living(now)
        self._forget_if_empty(place)
        replaced = (
            held if claim and claim.action is Action.TAKE and held != claim.connection_id else ""
        )
        return Change(before, after, len(living), here.version, living, replaced)

    async def renew(self, leases: Iterable[Lease], lease_s: float) -> Renewed:
        until = self._clock() + lease_s
        renewed = Renewed([], [])
        for lease in leases:
            here = self._places.get(lease.place)
            known = here.leases.get(lease.record.id) if here else None
            if known is not None and known.is_held_by(lease.connection_id):
                known.until = until
            elif known is not None:
                renewed.taken.append(lease)
            elif (lease.place, lease.record.id) in self._ended:
                renewed.ended.append(lease)
        return renewed

    async def now(self) -> float:
        return self._clock()

    async def expire(self, until: float) -> Swept:
        now = self._clock()
        until = min(until, now)
        lost = []
        self._ended = {who: end for who, end in self._ended.items() if end[1] > now}
        for place, here in list(self._places.items()):
            for member_id in [i for i, lease in here.leases.items() if lease.until <= until]:
                gone = here.leases.pop(member_id)
                if gone.released:
                    self._remember_end(place, member_id, gone)
                here.version += 1
                count = len(here.living(now))
                lost.append(Expired(place, Change(gone.record, None, count, here.version)))
            self._forget_if_empty(place)
        return Swept(lost, more=False)

    async def versions(self, places: Sequence[str]) -> list[int]:
        found = (self._places.get(place) for place in places)
        return [here.version if here else 0 for here in found]

    async def read_many(self, places: Sequence[str]) -> list[Occupancy]:
        snapshots = [await self.read(place) for place in places]
        return [Occupancy(one, dict.fromkeys(one.members, self._process)) for one in snapshots]

    async def check(self) -> None:
        pass  # memory is always there

    async def close(self) -> None:
        self._places.clear()

    async def member_counts(self, kind: str) -> dict[str, int]:
        now = self._clock()
        found = (
            (place.partition(":"), len(here.living(now))) for place, here in self._places.items()
        )
        return {name[2]: count for name, count in found if name[0] == kind and count}

    def _is_outdated(self, place: str, member_id: str, known: _Lease | None, claim: Claim) -> bool:
        """Whether another connection than that of `hold` decides on a member."""
        if claim.action is not Action.TAKE:
            return known is not None and not known.is_held_by(claim.connection_id)
        if known is not None:
            return known.connection_id != claim.connection_id and claim.number < known.number
        return claim.number < self._ended.get((place, member_id), (0, 0.0))[0]

    def _remember_end(self, place: str, member_id: str, lease: _Lease) -> None:
        self._ended[place, member_id] = lease.number, self._clock() + REMEMBER_END_S

    def _forget_if_empty(self, place: str) -> None:
        here = self._places.get(place)
        if here is not None and not here.leases:
            self._highest = max(self._highest, here.version)
            del self._places[place]

    def _new_place(self) -> _Place:
        return _Place(version=max(int(time.time() * 1000), self._highest))
