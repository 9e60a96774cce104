"""A participant of a room as presence keeps it, and what of it the others see. Pure."""

from collections.abc import Mapping

from chat.protocol.messages import Member, Person


class Resident(Person, frozen=True):
    """Which browser the participant sits at is for us alone."""

    browser: str


def shown(one: Resident) -> Person:
    """What the others see of it."""
    return Person(one.id, one.here, one.since, one.nickname, one.host, one.in_call)


def residents(members: Mapping[str, Member]) -> list[Resident]:
    """Everybody, with what is for us alone."""
    return [member for member in members.values() if isinstance(member, Resident)]


def persons(members: Mapping[str, Member]) -> list[Person]:
    """Everybody, as everybody sees them."""
    return [shown(one) for one in residents(members)]
