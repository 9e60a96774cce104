"""The record of a room's member, and its part for other people. Pure."""

from collections.abc import Mapping

from chat.protocol.messages import Member, Person


class Resident(Person, frozen=True):
    """A member of a room with its browser, which no client receives."""

    browser: str


def shown(one: Resident) -> Person:
    """The part of a record that clients receive."""
    return Person(one.id, one.here, one.since, one.nickname, one.host, one.in_call)


def residents(members: Mapping[str, Member]) -> list[Resident]:
    """All members of a room, with their browsers."""
    return [member for member in members.values() if isinstance(member, Resident)]


def persons(members: Mapping[str, Member]) -> list[Person]:
    """All members of a room, as clients receive them."""
    return [shown(one) for one in residents(members)]
