"""The types of places (rooms and calls): the records of their members, and their events."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple, Protocol

from chat.presence.base import Change
from chat.protocol.messages import Member, WireType


class Arrival(Protocol):
    """Makes a welcome or a bye event."""

    def __call__(self, *, person: Any, count: int, version: int) -> WireType: ...


class Update(Protocol):
    """Makes the event of a changed record."""

    def __call__(self, *, person: Any, version: int) -> WireType: ...


class PlaceType(NamedTuple):
    """A type of place: the type of its records, and its events."""

    name: str
    record: type[Member]
    welcome: Arrival
    bye: Arrival
    changed: Update
    # Runs after a change and its event, for further consequences.
    on_change: Callable[[str, Change], Awaitable[None]] | None = None
    # Repairs missing consequences in some places of this process.
    repair: Callable[[Collection[str]], Awaitable[None]] | None = None
    # Maps a record to its form for other members.
    public_view: Callable[[Any], Member] = lambda member: member


# Every process sweeps every type of place, whichever its own members are in.
PLACE_TYPES: dict[str, PlaceType] = {}


def register(place_type: PlaceType) -> PlaceType:
    """Register a type, once, when its service is imported."""
    PLACE_TYPES[place_type.name] = place_type
    return place_type
