"""The interface of presence. Members without a renewed lease are gone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from chat.protocol.messages import Member

# How long the end of a member is remembered, so that no late renewal or take of an older connection
# revives it. After three leases no living process sends one.
REMEMBER_END_S = 45.0

# Maps the living members of a place to the new record of one member, or to None to remove it. An
# exception aborts the update, and `update` raises it.
Transition = Callable[[Mapping[str, Member]], Member | None]


class Snapshot(NamedTuple):
    """The living members of a place, in the order of their arrival, at one version."""

    version: int
    members: dict[str, Member]


class Occupancy(NamedTuple):
    """A place, and the process that renews the lease of each member, for operators."""

    snapshot: Snapshot
    processes: dict[str, str]


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


class Action(StrEnum):
    """The action of a connection on its member."""

    TAKE = "take"  # brings the member in, or takes it over from an older connection
    USE = "use"  # changes the record of the member
    RELEASE = "release"  # ends the connection; a grace may follow


class Claim(NamedTuple):
    """A connection's action on a member. `connection_id` names the connection.

    `number` grows with each connection of a page. A take by an older connection fails, whichever
    the server serves first. `lease_s` runs after a take or an end.
    """

    connection_id: str
    action: Action
    lease_s: float = 0.0
    number: int = 0


def take(connection_id: str, *, lease_s: float, number: int = 0) -> Claim:
    """The claim of a connection that takes its member."""
    return Claim(connection_id, Action.TAKE, lease_s, number)


def use(connection_id: str) -> Claim:
    """The claim of a connection that changes the record of its member."""
    return Claim(connection_id, Action.USE)


def release(connection_id: str, *, lease_s: float = 0.0) -> Claim:
    """The claim of an ending connection; its member stays for `lease_s` unless removed."""
    return Claim(connection_id, Action.RELEASE, lease_s)


class Lease(NamedTuple):
    """A lease that a process renews. `record` restores a member that the store has forgotten."""

    place: str
    record: Member
    connection_id: str
    number: int = 0


class Renewed(NamedTuple):
    """The leases that were not renewed.

    Of `taken` ones a newer connection holds the member; members of `ended` ones were removed.
    """

    taken: list[Lease]
    ended: list[Lease]


class Expired(NamedTuple):
    """A member whose lease ran out. The receiver announces it."""

    place: str
    change: Change


class Swept(NamedTuple):
    """The members that one step of a sweep removed, and whether more places are due."""

    expired: list[Expired]
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
        self, place: str, member_id: str, transition: Transition, claim: Claim | None = None
    ) -> Change:
        """Apply a transition in one atomic step.

        A take or use raises Outdated if a newer connection holds the member. The end of a
        connection that no longer holds it changes nothing.
        """

    async def renew(self, leases: Iterable[Lease], lease_s: float) -> Renewed:
        """Renew leases for `lease_s` from now, in one round trip.

        A renewal may arrive after the end of its connection. So it revives no removed member and
        prolongs no grace.
        """

    async def now(self) -> float:
        """The time in seconds by the clock of the store."""

    async def expire(self, until: float) -> Swept:
        """Remove members whose lease had run out at the time `until`, one place an atomic step.

        Reports each once.
        """

    async def versions(self, places: Sequence[str]) -> list[int]:
        """The versions of these places, and 0 for empty ones."""

    async def read_many(self, places: Sequence[str]) -> list[Occupancy]:
        """These places, in few round trips however many they are."""

    async def check(self) -> None:
        """Return if a lease could be taken now, and raise Unavailable if not."""

    async def close(self) -> None:
        """Close the connections of the store."""

    async def member_counts(self, kind: str) -> dict[str, int]:
        """The number of members of each place of a kind, by key, without empty places."""
