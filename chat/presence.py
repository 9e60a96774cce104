"""Who is in which place right now, as leases: whoever is not renewed is gone."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from chat.messages import Member

# Decides on the members of a place, with the living ones before it: the new record of the one who
# asks, or None to be gone. What it raises, `update` raises, and nothing has changed.
Rule = Callable[[Mapping[str, Member]], Member | None]


class Snapshot(NamedTuple):
    """The living members of a place, in the order in which they came, at one version of it."""

    version: int
    members: dict[str, Member]


@dataclass(frozen=True, slots=True)
class Change:
    """A member's record before and after a change (None: not there), and the place after it.

    Where `before` equals `after` nothing has changed, and the version is the old one. `members` are
    the living ones at that version, as far as the one who asked for the change had to know them.
    """

    before: Member | None
    after: Member | None
    count: int
    version: int
    members: Mapping[str, Member] = field(default_factory=dict, compare=False)
    replaced: str = ""  # the line from which this change has taken the member


class Hold(NamedTuple):
    """The line by which somebody is in a place. One that comes in takes the member from whichever
    line has it; what is said of the end of one counts only while no other has taken it.
    """

    line: str
    takes: bool


class Lease(NamedTuple):
    """What one process renews: the record puts the member back if the store has forgotten it."""

    place: str
    record: Member
    line: str


class Lost(NamedTuple):
    """A member whose lease ran out; whoever gets this announces it."""

    place: str
    change: Change


class Presence(Protocol):
    """The store of leases. A place is named `<kind>:<key>`; each change raises its version by one.

    A place that begins anew begins at the time in milliseconds, so that its version is above any
    that it had in a former life.
    """

    async def read(self, place: str) -> Snapshot:
        """The living members."""

    async def update(
        self, place: str, member_id: str, rule: Rule, lease_s: float, hold: Hold | None = None
    ) -> Change:
        """Applies a rule in one atomic step, and lets the lease run for `lease_s` from now; nothing
        changes if `hold` is of a line that no longer has the member."""

    async def renew(self, leases: Iterable[Lease], lease_s: float) -> list[Lease]:
        """Lets all these leases run for `lease_s` from now, in one round trip, but for those of
        members whom another line has taken: they are returned."""

    async def expire(self) -> list[Lost]:
        """Removes, in one atomic step a place, whoever's lease has run out; each is told once."""

    async def versions(self, places: Sequence[str]) -> list[int]:
        """The versions of these places; 0 for one that is empty."""

    async def holders(self, place: str) -> dict[str, str]:
        """The process that renews each member's lease, by member, for those who look after us."""

    async def check(self) -> None:
        """Returns if a lease could be taken now."""

    async def close(self) -> None:
        """Gives back what the store holds open."""

    async def counts(self, kind: str) -> dict[str, int]:
        """How many are in each place of a kind, by key; empty places are left out."""


@dataclass(slots=True)
class _Lease:
    record: Member
    until: float
    line: str


@dataclass(slots=True)
class _Place:
    version: int
    leases: dict[str, _Lease] = field(default_factory=dict)

    def living(self, now: float) -> dict[str, Member]:
        return {i: lease.record for i, lease in self.leases.items() if lease.until > now}


class MemoryPresence:
    """Presence of one process. Every method runs without a pause, so each is one atomic step."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, process: str = "this process"
    ) -> None:
        self._clock = clock
        self._process = process
        self._places: dict[str, _Place] = {}
        self._highest = 0  # version of any place that has ended

    async def read(self, place: str) -> Snapshot:
        here = self._places.get(place)
        return Snapshot(here.version, here.living(self._clock())) if here else Snapshot(0, {})

    async def update(
        self, place: str, member_id: str, rule: Rule, lease_s: float, hold: Hold | None = None
    ) -> Change:
        now = self._clock()
        here = self._places.get(place) or self._new_place()
        members = here.living(now)
        before, after = members.get(member_id), rule(members)
        line = held = here.leases[member_id].line if member_id in here.leases else ""
        if hold is not None:
            if held != hold.line and not hold.takes:
                return Change(before, before, len(members), here.version, members)
            line = hold.line
        # A lease that ran out but is not swept yet is taken over by an owner who is back; else it
        # is left to `expire`, which announces it.
        if after is not None:
            here.leases[member_id] = _Lease(after, now + lease_s, line)
            self._places[place] = here
        elif before is not None:
            del here.leases[member_id]
        if after != before:
            here.version += 1
        living = here.living(now)
        self._forget_if_empty(place)
        replaced = held if held != line else ""
        return Change(before, after, len(living), here.version, living, replaced)

    async def renew(self, leases: Iterable[Lease], lease_s: float) -> list[Lease]:
        until = self._clock() + lease_s
        taken = []
        for lease in leases:
            here = self._places.get(lease.place)
            known = here.leases.get(lease.record.id) if here else None
            if known is not None and known.line in ("", lease.line):
                known.until, known.line = until, lease.line
            elif known is not None:
                taken.append(lease)
        return taken

    async def expire(self) -> list[Lost]:
        now = self._clock()
        lost = []
        for place, here in list(self._places.items()):
            for member_id in [i for i, lease in here.leases.items() if lease.until <= now]:
                gone = here.leases.pop(member_id)
                here.version += 1
                count = len(here.living(now))
                lost.append(Lost(place, Change(gone.record, None, count, here.version)))
            self._forget_if_empty(place)
        return lost

    async def versions(self, places: Sequence[str]) -> list[int]:
        found = (self._places.get(place) for place in places)
        return [here.version if here else 0 for here in found]

    async def holders(self, place: str) -> dict[str, str]:
        return dict.fromkeys((await self.read(place)).members, self._process)

    async def check(self) -> None:
        pass  # nothing is asked of anyone

    async def close(self) -> None:
        self._places.clear()

    async def counts(self, kind: str) -> dict[str, int]:
        now = self._clock()
        found = (
            (place.partition(":"), len(here.living(now))) for place, here in self._places.items()
        )
        return {name[2]: count for name, count in found if name[0] == kind and count}

    def _forget_if_empty(self, place: str) -> None:
        here = self._places.get(place)
        if here is not None and not here.leases:
            self._highest = max(self._highest, here.version)
            del self._places[place]

    def _new_place(self) -> _Place:
        return _Place(version=max(int(time.time() * 1000), self._highest))
