"""The record of a room's member: its part for other people, and how it changes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from django.conf import settings

from chat.errors import Refused
from chat.names import cleaning
from chat.protocol.messages import Member, Person
from chat.storage.room_access import RoomAccess
from chat.tokens import ParticipantClaims


class RoomMemberRecord(Person, frozen=True):
    """A member of a room with its browser, which no client receives."""

    browser: str


def public_view(one: RoomMemberRecord) -> Person:
    """The part of a record that clients receive."""
    return Person(one.id, one.here, one.since, one.nickname, one.host, one.in_call)


def member_records(members: Mapping[str, Member]) -> list[RoomMemberRecord]:
    """All members of a room, with their browsers."""
    return [member for member in members.values() if isinstance(member, RoomMemberRecord)]


def public_views(members: Mapping[str, Member]) -> list[Person]:
    """All members of a room, as clients receive them."""
    return [public_view(one) for one in member_records(members)]


def distinct_nickname(nickname: str, me: str, members: Mapping[str, Member]) -> str:
    """The nickname of a participant, with a number if another member's looks like it."""
    others = [person for person in member_records(members) if person.id != me]
    taken = {cleaning.skeleton(person.nickname) for person in others}
    return cleaning.make_distinct(cleaning.nickname(nickname), taken)


def with_changes(
    members: Mapping[str, Member], participant: str, **changes: object
) -> Member | None:
    """The record of a member with some changes; None if there is no such member."""
    member = members.get(participant)
    return None if member is None else msgspec.structs.replace(member, **changes)


@dataclass(frozen=True, slots=True)
class EnterTransition:
    """The transition of entering: capacity, distinct names, and the return of a member."""

    claims: ParticipantClaims
    nickname: str
    room: RoomAccess

    def __call__(self, members: Mapping[str, Member]) -> RoomMemberRecord:
        me = self.claims.participant
        before = members.get(me)
        if before is None and len(members) >= (self.room.capacity or settings.ROOM_CAPACITY):
            raise Refused("room_full", "This room is full.")
        nickname = distinct_nickname(self.nickname, me, members)
        if isinstance(before, RoomMemberRecord):
            return msgspec.structs.replace(before, here=True, nickname=nickname)
        return RoomMemberRecord(
            id=me,
            here=True,
            since=int(time.time() * 1000),
            nickname=nickname,
            host=bool(self.room.host) and self.room.host == self.claims.browser,
            in_call=False,
            browser=self.claims.browser,
        )
