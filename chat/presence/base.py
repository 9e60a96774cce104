"""The interface of presence, and its store in memory. Members without a renewed lease are gone."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from chat.errors import Outdated
from chat.protocol.messages import Member

# How long the end of a member is remembered, so that no late renewal or take of an older connection
# revives it. After three leases no living process sends one.
ENDED_S = 45.0

# Maps the living members of a place to the new record of one member, or to None to remove it. An
# exception aborts the update, and `update` raises it.
Rule = Callable[[Mapping[str, Member]], Member | None]


class Snapshot(NamedTuple):
    """The living members of a place, in the order of their arrival, at one version."""

    version: int
    members: dict[str, Member]


@dataclass(frozen=True, slots=True)
class Change:
    """A member's record before and after a change (None: absent), and the place after it.

    Where `before` equals `after` nothing has changed, and the version is the old one. `members` are
    the living members at that version, as far as the change had to read them.
    """

    before: Member | None
    after: Member | None
    count: int
    version: int
    members: Mapping[str, Member] = field(default_factory=dict, compare=False)
    replaced: str = ""  # id of the connection from which this change took the member


class Act(StrEnum):
    """The action of a connection on its member."""

    TAKE = "take"  # brings the member in, or takes it over from an older connection
    USE = "use"  # changes the record of the member
    LET_GO = "let go"  # ends the connection; a grace may follow


class Hold(NamedTuple):
    """A connection's action on a member. `line` is the id of the connection.

    `number` grows with each connection of a page. A take by an older connection fails, whichever
    the server serves first. `lease_s` runs after a take or an end.
    """

    line: str
    act: Act
    lease_s: float = 0.0
    number: int = 0


def take(line: str, *, lease_s: float, number: int = 0) -> Hold:
    """The claim of a connection that takes its member."""
    return Hold(line, Act.TAKE, lease_s, number)


def use(line: str) -> Hold:
    """The claim of a connection that changes the record of its member."""
    return Hold(line, Act.USE)


def let_go(line: str, *, lease_s: float = 0.0) -> Hold:
    """The claim of an ending connection; its member stays for `lease_s` unless removed."""
    return Hold(line, Act.LET_GO, lease_s)


class Lease(NamedTuple):
    """A lease that a process renews. `record` restores a member that the store has forgotten."""

    place: str
    record: Member
    line: str
    number: int = 0


class Renewed(NamedTuple):
    """The leases that were not renewed.

    Of `taken` ones a newer connection holds the member; members of `ended` ones were removed.
    """

    taken: list[Lease]
    ended: list[Lease]


class Lost(NamedTuple):
    """A member whose lease ran out. The receiver announces it."""

    place: str
    change: Change


class Swept(NamedTuple):
    """The members that one step of a sweep removed, and whether more places are due."""

    lost: list[Lost]
    more: bool


class Presence(Protocol):
    """The store of leases. A place is named `<kind>:<key>`; each change raises its version by one.

    A new place begins at the time in milliseconds, so that its version exceeds any of a former
    life. Only a take lets a member in. Only the connection that holds a member decides how long
    its lease runs.
    """

    async def read(self, place: str) -> Snapshot:
        """The living members of a place."""

    async def update(
        self, place: str, member_id: str, rule: Rule, hold: Hold | None = None
    ) -> Change:
        """Apply a rule in one atomic step.

        A take or use raises Outdated if a newer connection holds the member. The end of a
        connection that no longer holds it changes nothing.
        """

    async def renew(self, leases: Iterable[Lease], lease_s: float) -> Renewed:
        """Renew leases for `lease_s` from now, in one round trip.

        A renewal may arrive after the end of its connection. So it revives no removed member and
        prolongs no grace.
        """

    async def expire(self) -> Swept:
        """Remove members whose lease ran out, one place an atomic step; report each once."""

    async def versions(self, places: Sequence[str]) -> list[int]:
        """The versions of these places, and 0 for empty ones."""

    async def holders(self, place: str) -> dict[str, str]:
        """The process that renews each member's lease, by member, for operators."""

    async def check(self) -> None:
        """Return if a lease could be taken now, and raise Unavailable if not."""

    async def close(self) -> None:
        """Close the connections of the store."""

    async def counts(self, kind: str) -> dict[str, int]:
        """The number of members of each place of a kind, by key, without empty places."""


@dataclass(slots=True)
class _Lease:
    record: Member
    until: float
    line: str
    number: int
    let_go: bool = False

    def is_held_by(self, line: str) -> bool:
        return self.line == line and not self.let_go


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
        self, place: str, member_id: str, rule: Rule, hold: Hold | None = None
    ) -> Change:
        now = self._clock()
        here = self._places.get(place) or self._new_place()
        members = here.living(now)
        before, after = members.get(member_id), rule(members)
        known = here.leases.get(member_id)
        if hold is not None and self._is_outdated(place, member_id, known, hold):
            if hold.act is not Act.LET_GO:
                raise Outdated(hold.line)
            return Change(before, before, len(members), here.version, members)
        held = known.line if known else ""
        # A lease that ran out but is not swept yet goes to a page that is back, or else to
        # `expire`, which announces its end.
        if hold is not None and hold.act is Act.TAKE and after is not None:
            here.leases[member_id] = _Lease(after, now + hold.lease_s, hold.line, hold.number)
            self._places[place] = here
            self._ended.pop((place, member_id), None)
        elif known is None or before is None:
            after = before  # only a take lets a member in
        elif after is None:
            self._remember_end(place, member_id, here.leases.pop(member_id))
        else:
            known.record = after
            if hold is not None and hold.act is Act.LET_GO:
                known.until, known.let_go = now + hold.lease_s, True
        if after != before:
            here.version += 1
        living = here.living(now)
        self._forget_if_empty(place)
        replaced = held if hold and hold.act is Act.TAKE and held != hold.line else ""
        return Change(before, after, len(living), here.version, living, replaced)

    async def renew(self, leases: Iterable[Lease], lease_s: float) -> Renewed:
        until = self._clock() + lease_s
        renewed = Renewed([], [])
        for lease in leases:
            here = self._places.get(lease.place)
            known = here.leases.get(lease.record.id) if here else None
            if known is not None and known.is_held_by(lease.line):
                known.until = until
            elif known is not None:
                renewed.taken.append(lease)
            elif (lease.place, lease.record.id) in self._ended:
                renewed.ended.append(lease)
        return renewed

    async def expire(self) -> Swept:
        now = self._clock()
        lost = []
        self._ended = {who: end for who, end in self._ended.items() if end[1] > now}
        for place, here in list(self._places.items()):
            for member_id in [i for i, lease in here.leases.items() if lease.until <= now]:
                gone = here.leases.pop(member_id)
                if gone.let_go:
                    self._remember_end(place, member_id, gone)
                here.version += 1
                count = len(here.living(now))
                lost.append(Lost(place, Change(gone.record, None, count, here.version)))
            self._forget_if_empty(place)
        return Swept(lost, more=False)

    async def versions(self, places: Sequence[str]) -> list[int]:
        found = (self._places.get(place) for place in places)
        return [here.version if here else 0 for here in found]

    async def holders(self, place: str) -> dict[str, str]:
        return dict.fromkeys((await self.read(place)).members, self._process)

    async def check(self) -> None:
        pass  # memory is always there

    async def close(self) -> None:
        self._places.clear()

    async def counts(self, kind: str) -> dict[str, int]:
        now = self._clock()
        found = (
            (place.partition(":"), len(here.living(now))) for place, here in self._places.items()
        )
        return {name[2]: count for name, count in found if name[0] == kind and count}

    def _is_outdated(self, place: str, member_id: str, known: _Lease | None, hold: Hold) -> bool:
        """Whether another connection than that of `hold` decides on a member."""
        if hold.act is not Act.TAKE:
            return known is not None and not known.is_held_by(hold.line)
        if known is not None:
            return known.line != hold.line and hold.number < known.number
        return hold.number < self._ended.get((place, member_id), (0, 0.0))[0]

    def _remember_end(self, place: str, member_id: str, lease: _Lease) -> None:
        self._ended[place, member_id] = lease.number, self._clock() + ENDED_S

    def _forget_if_empty(self, place: str) -> None:
        here = self._places.get(place)
        if here is not None and not here.leases:
            self._highest = max(self._highest, here.version)
            del self._places[place]

    def _new_place(self) -> _Place:
        return _Place(version=max(int(time.time() * 1000), self._highest))
