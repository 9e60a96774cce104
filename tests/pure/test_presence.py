"""Leases: who is in, who runs out, and the versions that tell of it."""

import msgspec
import pytest

from chat.messages import Member
from chat.presence import Lease, MemoryPresence

LEASE_S = 10.0
PLACE = "chat:room"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def presence(clock):
    return MemoryPresence(clock)


def member(name: str, *, here: bool = True) -> Member:
    return Member(id=name, here=here, since=0)


async def put(presence, name, **fields):
    record = member(name, **fields)
    return await presence.update(PLACE, name, lambda _: record, LEASE_S)


async def test_a_rule_that_raises_changes_nothing(presence):
    await put(presence, "nova")
    before = await presence.read(PLACE)

    def full(members):
        raise OverflowError

    with pytest.raises(OverflowError):
        await presence.update(PLACE, "mira", full, LEASE_S)
    assert await presence.read(PLACE) == before


async def test_each_change_raises_the_version_by_one_and_no_change_leaves_it(presence):
    first = await put(presence, "nova")
    assert (first.before, first.after, first.count) == (None, member("nova"), 1)
    same = await put(presence, "nova")
    assert same.version == first.version
    away = await put(presence, "nova", here=False)
    assert away.version == first.version + 1
    gone = await presence.update(PLACE, "nova", lambda _: None, LEASE_S)
    assert (gone.after, gone.count, gone.version) == (None, 0, first.version + 2)


async def test_a_rule_sees_the_living_in_the_order_in_which_they_came(presence, clock):
    await put(presence, "old")
    clock.now = 5
    await put(presence, "nova")
    await put(presence, "mira")
    clock.now = 11
    seen = []

    def look(members):
        seen.extend(members)

    await presence.update(PLACE, "kim", look, LEASE_S)
    assert seen == ["nova", "mira"]


async def test_a_lease_that_ran_out_is_not_read_and_is_told_once(presence, clock):
    entered = await put(presence, "nova")
    await put(presence, "mira")
    clock.now = 6
    await presence.renew([Lease(PLACE, member("mira"))], LEASE_S)
    clock.now = 11
    assert list((await presence.read(PLACE)).members) == ["mira"]
    assert await presence.counts("chat") == {"room": 1}
    (lost,) = await presence.expire()
    assert lost.place == PLACE
    assert lost.change.before == member("nova")
    assert (lost.change.count, lost.change.version) == (1, entered.version + 2)
    assert await presence.expire() == []


async def test_who_returns_before_the_sweep_is_not_swept(presence, clock):
    await put(presence, "nova")
    clock.now = 11
    await put(presence, "nova")
    assert await presence.expire() == []
    assert await presence.counts("chat") == {"room": 1}


async def test_a_grace_is_shorter_than_a_lease(presence, clock):
    await put(presence, "nova")
    await presence.update(
        PLACE, "nova", lambda m: msgspec.structs.replace(m["nova"], here=False), 2
    )
    clock.now = 3
    assert len(await presence.expire()) == 1


async def test_a_place_that_begins_anew_has_a_higher_version(presence, clock):
    first = await put(presence, "nova")
    gone = await presence.update(PLACE, "nova", lambda _: None, LEASE_S)
    again = await put(presence, "nova")
    assert again.version >= gone.version > first.version


async def test_places_are_counted_by_kind(presence):
    await put(presence, "nova")
    await presence.update("call:room", "nova", lambda _: member("nova"), LEASE_S)
    assert await presence.counts("chat") == {"room": 1}
    assert await presence.counts("call") == {"room": 1}
    assert await presence.counts("other") == {}


async def test_nothing_is_kept_of_an_empty_place(presence):
    await put(presence, "nova")
    await presence.update(PLACE, "nova", lambda _: None, LEASE_S)
    assert (await presence.read(PLACE)) == (0, {})
