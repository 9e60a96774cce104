"""Connections of one page: the newer one has the member, in whatever order they are served."""

import pytest

from chat.errors import Outdated
from chat.presence.base import REMEMBER_END_S, release, use
from tests.unit.presence_stores import (
    MIRA,
    NOVA,
    PLACE,
    PRESENCE_LEASE_S,
    end,
    ids,
    lease,
    member,
    put,
    remove,
    sweep,
    taking,
)


async def test_entering_connection_takes_over_from_the_older(presence):
    first = await put(presence, NOVA, taking("one", 1))
    again = await put(presence, NOVA, taking("one", 1))
    assert (first.replaced, again.replaced) == ("", "")
    assert (await put(presence, NOVA, taking("two", 2))).replaced == "one"


async def test_older_connection_served_later_takes_nothing(presence):
    newer = await put(presence, NOVA, taking("two", 2))
    with pytest.raises(Outdated):
        await put(presence, NOVA, taking("one", 1))
    assert (await presence.read(PLACE)).version == newer.version
    assert await presence.renew([lease(NOVA, "two", 2)], PRESENCE_LEASE_S) == ([], [])


@pytest.mark.parametrize("leaves", [remove, lambda p, name: remove(p, name, release("two"))])
async def test_older_connection_does_not_restore_a_member_that_left(presence, leaves):
    await put(presence, NOVA, taking("two", 2))
    await leaves(presence, NOVA)
    with pytest.raises(Outdated):
        await put(presence, NOVA, taking("one", 1))
    await presence.pass_time(REMEMBER_END_S + 1)
    assert (await put(presence, NOVA, taking("three", 3))).before is None


async def test_end_of_a_replaced_connection_changes_nothing(presence):
    await put(presence, NOVA, taking("one", 1))
    newer = await put(presence, NOVA, taking("two", 2))
    late = await end(presence, NOVA, "one", 5)
    assert (late.before, late.after, late.version) == (member(NOVA), member(NOVA), newer.version)
    away = await end(presence, NOVA, "two", 5)
    assert away.after == member(NOVA, here=False)


async def test_connection_changes_a_member_only_while_it_has_it(presence):
    await put(presence, NOVA, taking("one", 1))
    assert (await put(presence, NOVA, use("one"), here=False)).after == member(NOVA, here=False)
    await put(presence, NOVA, taking("two", 2))
    with pytest.raises(Outdated):
        await put(presence, NOVA, use("one"), here=False)
    assert (await presence.read(PLACE)).members == {NOVA: member(NOVA)}


async def test_change_without_a_connection_keeps_holder_and_lease(presence):
    await put(presence, NOVA, taking("one", 1))
    await end(presence, NOVA, "one", 2)
    await presence.update(PLACE, NOVA, lambda _: member(NOVA))
    await presence.pass_time(3)
    assert ids((await sweep(presence)).expired) == [NOVA]


async def test_change_without_a_connection_adds_no_member(presence):
    change = await presence.update(PLACE, NOVA, lambda _: member(NOVA))
    assert (change.after, change.count) == (None, 0)
    assert (await presence.read(PLACE)).members == {}


async def test_replaced_connection_does_not_renew_the_lease(presence):
    await put(presence, NOVA, taking("one", 1))
    await put(presence, MIRA, taking("three", 3))
    await put(presence, NOVA, taking("two", 2))
    await presence.pass_time(6)
    old, own = lease(NOVA, "one", 1), lease(MIRA, "three", 3)
    assert await presence.renew([old, own], PRESENCE_LEASE_S) == ([old], [])
    await presence.pass_time(5)
    assert list((await presence.read(PLACE)).members) == [MIRA]


@pytest.mark.parametrize("leaves", [remove, lambda p, name: remove(p, name, release("one"))])
async def test_late_renewal_does_not_restore_a_member_that_left(presence, leaves):
    await put(presence, MIRA, taking("other", 1))
    await put(presence, NOVA, taking("one", 1))
    late = lease(NOVA, "one", 1)
    gone = await leaves(presence, NOVA)
    assert await presence.renew([late], PRESENCE_LEASE_S) == ([], [late])
    assert await presence.read(PLACE) == (gone.version, {MIRA: member(MIRA)})
    again = await put(presence, NOVA, taking("two", 2))
    assert await presence.renew([lease(NOVA, "two", 2)], PRESENCE_LEASE_S) == ([], [])
    assert (await presence.read(PLACE)).version == again.version


async def test_late_renewal_does_not_extend_the_grace(presence):
    await put(presence, NOVA, taking("one", 1))
    await end(presence, NOVA, "one", 3)
    await presence.renew([lease(NOVA, "one", 1)], PRESENCE_LEASE_S)
    await presence.pass_time(4)
    assert ids((await sweep(presence)).expired) == [NOVA]
    late = lease(NOVA, "one", 1)
    assert await presence.renew([late], PRESENCE_LEASE_S) == ([], [late])
    assert (await presence.read(PLACE)).members == {}


@pytest.mark.live
async def test_newer_connection_wins_when_two_processes_restore_a_member(two):
    first, second = two
    await first.renew([lease(NOVA, "one", 1)], PRESENCE_LEASE_S)
    assert await second.renew([lease(NOVA, "two", 2)], PRESENCE_LEASE_S) == ([], [])
    old = lease(NOVA, "one", 1)
    assert await first.renew([old], PRESENCE_LEASE_S) == ([old], [])
