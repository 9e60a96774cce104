"""Leases: who is in, who runs out, and the versions that tell of it; in memory and in Redis."""

import asyncio
import socket
from functools import partial

import pytest
from django.conf import settings
from redis.asyncio import Redis

from chat import runtime
from chat.errors import Unavailable
from chat.presence.base import Snapshot, take
from chat.presence.redis import RedisPresence
from chat.presence.redis_scripts import LOGGED, SWEPT_AT_ONCE
from chat.protocol import close_codes
from chat.protocol.messages import Member
from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import free_port
from tests.unit.presence_stores import (
    KIM,
    LINE,
    MIRA,
    NOVA,
    OLD,
    PLACE,
    PRESENCE_LEASE_S,
    SINCE,
    InRedis,
    decode,
    end,
    ids,
    lease,
    member,
    put,
    remove,
    sweep,
    taking,
)


async def test_rule_that_raises_changes_nothing(presence):
    await put(presence, NOVA)
    before = await presence.read(PLACE)

    def full(members):
        raise OverflowError

    with pytest.raises(OverflowError):
        await presence.update(PLACE, MIRA, full, taking())
    assert await presence.read(PLACE) == before


async def test_only_changes_raise_the_version(presence):
    first = await put(presence, NOVA)
    assert (first.before, first.after, first.count) == (None, member(NOVA), 1)
    same = await put(presence, NOVA)
    assert same.version == first.version
    away = await put(presence, NOVA, here=False)
    assert away.version == first.version + 1
    gone = await remove(presence, NOVA)
    assert (gone.after, gone.count, gone.version) == (None, 0, first.version + 2)


async def test_rule_gets_members_in_order_of_arrival(presence):
    await put(presence, OLD)
    await presence.pass_time(5)
    await put(presence, NOVA)
    await put(presence, MIRA)
    await presence.pass_time(6)
    seen: list[str] = []

    def look(members):
        seen[:] = members

    await presence.update(PLACE, KIM, look, taking())
    assert seen == [NOVA, MIRA]


async def test_expired_lease_is_hidden_and_reported_once(presence):
    entered = await put(presence, NOVA)
    await put(presence, MIRA)
    await presence.pass_time(6)
    await presence.renew([lease(MIRA)], PRESENCE_LEASE_S)
    await presence.pass_time(5)
    assert list((await presence.read(PLACE)).members) == [MIRA]
    assert await presence.member_counts("chat") == {"room": 1}
    (lost,) = (await sweep(presence)).expired
    assert lost.place == PLACE
    assert lost.change.before == member(NOVA)
    assert (lost.change.count, lost.change.version) == (1, entered.version + 2)
    assert (await sweep(presence)).expired == []


async def test_lease_that_ends_after_the_time_of_a_sweep_is_kept(presence):
    # A process may stand still between the check of its own leases and the sweep.
    now = await presence.now()
    await asyncio.sleep(0.01)
    await presence.pass_time(0.01)
    await put(presence, NOVA, take(LINE, lease_s=0.0, number=0))
    assert (await presence.expire(now)).expired == []
    assert ids((await sweep(presence)).expired) == [NOVA]


async def test_member_that_returns_before_the_sweep_stays(presence):
    await put(presence, NOVA)
    await presence.pass_time(11)
    await put(presence, NOVA)
    assert (await sweep(presence)).expired == []
    assert await presence.member_counts("chat") == {"room": 1}


async def test_grace_is_shorter_than_a_lease(presence):
    await put(presence, NOVA)
    await end(presence, NOVA, LINE, 2)
    await presence.pass_time(3)
    assert ids((await sweep(presence)).expired) == [NOVA]


async def test_place_that_begins_anew_has_a_higher_version(presence):
    first = await put(presence, NOVA)
    gone = await remove(presence, NOVA)
    again = await put(presence, NOVA)
    assert again.version >= gone.version > first.version


async def test_places_are_counted_by_kind(presence):
    await put(presence, NOVA)
    await put(presence, NOVA, place="call:room")
    assert await presence.member_counts("chat") == {"room": 1}
    assert await presence.member_counts("call") == {"room": 1}
    assert await presence.member_counts("other") == {}


async def test_empty_place_leaves_no_state(presence):
    await put(presence, NOVA)
    await remove(presence, NOVA)
    assert (await presence.read(PLACE)).members == {}
    assert await presence.member_counts("chat") == {}


async def test_versions_of_many_places_are_read_at_once(presence):
    change = await put(presence, NOVA)
    assert await presence.versions([PLACE, "chat:empty"]) == [change.version, 0]
    assert await presence.versions([]) == []


async def test_concurrent_changes_are_serialized(presence):
    def at_most_two(name, members):
        if len(members) >= 2:
            raise OverflowError
        return member(name)

    outcomes = await asyncio.gather(
        *(presence.update(PLACE, n, partial(at_most_two, n), taking()) for n in SINCE),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, OverflowError) for outcome in outcomes) == 2


@pytest.mark.live
async def test_renewal_restores_members_that_redis_lost(redis_url):
    store = InRedis(redis_url)
    before = await put(store, NOVA)
    await store.redis.flushall()
    assert (await store.read(PLACE)).members == {}
    await store.renew([lease(NOVA)], PRESENCE_LEASE_S)
    snapshot = await store.read(PLACE)
    assert snapshot.members == {NOVA: member(NOVA)}
    assert snapshot.version > before.version
    await store.close()


@pytest.mark.live
async def test_two_processes_report_an_expired_lease_once(two):
    first, second = two
    for name in SINCE:
        await put(first, name)
    await first.pass_time(11)
    lost = await asyncio.gather(sweep(first), sweep(second), sweep(first))
    assert sorted(name for part in lost for name in ids(part.expired)) == sorted(SINCE)


@pytest.mark.live
async def test_rule_gets_changes_of_another_process(two):
    first, second = two
    await put(first, NOVA)
    await put(second, MIRA)
    await put(first, NOVA, here=False)
    seen: list[dict[str, Member]] = []
    await second.update(PLACE, KIM, lambda members: seen.append(dict(members)), taking())
    assert seen[-1] == {NOVA: member(NOVA, here=False), MIRA: member(MIRA)}
    await remove(first, MIRA)
    change = await put(second, KIM)
    assert (change.count, list(change.members)) == (2, [NOVA, KIM])
    assert (
        await first.read(PLACE)
        == await second.read(PLACE)
        == Snapshot(change.version, change.members)
    )


@pytest.mark.live
async def test_rule_ignores_members_that_left_at_another_process(two):
    first, second = two
    await put(first, NOVA)
    await second.read(PLACE)
    await remove(first, NOVA)

    def alone(members):
        if members:
            raise OverflowError
        return member(MIRA)

    assert (await second.update(PLACE, MIRA, alone, taking())).count == 1


@pytest.mark.live
async def test_process_notices_the_end_of_a_cached_lease(two):
    first, second = two
    await put(first, OLD)
    await first.pass_time(11)
    await put(first, NOVA)
    change = await put(first, MIRA)
    assert (change.count, list(change.members)) == (2, [NOVA, MIRA])
    again = await put(second, OLD)
    assert (again.before, again.count) == (None, 3)
    assert list((await first.read(PLACE)).members) == [OLD, NOVA, MIRA]


@pytest.mark.live
async def test_process_with_a_stale_cache_reads_the_whole_place(two):
    first, second = two
    await put(second, KIM)
    for number in range(LOGGED + 2):
        await put(first, NOVA, here=bool(number % 2))
    await remove(first, KIM)
    assert list((await second.read(PLACE)).members) == [NOVA]
    await first.redis.flushall()
    assert await second.read(PLACE) == Snapshot(0, {})
    born = await put(first, MIRA)
    assert await second.read(PLACE) == Snapshot(born.version, {MIRA: member(MIRA)})


async def test_unreachable_redis_raises_unavailable():
    store = InRedis(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        await store.read(PLACE)
    with pytest.raises(Unavailable):
        await store.renew([lease(NOVA)], PRESENCE_LEASE_S)
    await store.close()


async def test_frozen_redis_raises_unavailable():
    assert runtime.REDIS_POOL_TIMEOUT_S < close_codes.SILENT_S, "pages are still patient"
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel answers, and nobody else
        redis = Redis(port=silent.getsockname()[1], **settings.REDIS_OPTIONS)
        store = RedisPresence(redis, decode, "here")
        async with asyncio.timeout(close_codes.SILENT_S * PATIENCE):
            with pytest.raises(Unavailable):
                await store.renew([lease(NOVA)], PRESENCE_LEASE_S)
        await store.close()


async def test_many_places_are_read_as_each_of_them(presence):
    places = [f"chat:{number}" for number in range(205)]  # more than fit into one script
    for number, place in enumerate(places[::2]):
        await presence.update(place, NOVA, lambda _: member(NOVA), taking(f"c{number}"))
    several = await presence.read_many(places)
    assert [one.snapshot for one in several] == [await presence.read(place) for place in places]
    assert [one.processes for one in several[:2]] == [{NOVA: "here"}, {}]
    assert await presence.read_many([]) == []


async def test_presence_names_the_renewing_process_until_the_lease_ends(presence):
    await put(presence, NOVA)
    await presence.renew([lease(NOVA)], PRESENCE_LEASE_S)
    assert (await presence.read_many([PLACE]))[0].processes == {NOVA: "here"}
    await remove(presence, NOVA)
    assert (await presence.read_many([PLACE]))[0].processes == {}


@pytest.mark.live
async def test_sweep_visits_every_place(redis_url):
    store = InRedis(redis_url)
    await store.redis.flushall()
    rooms = [f"chat:{n}" for n in range(2 * SWEPT_AT_ONCE + 1)]
    for room in rooms:
        await put(store, NOVA, place=room)
    await store.pass_time(PRESENCE_LEASE_S + 1)
    steps = [await sweep(store)]
    while steps[-1].more:
        steps.append(await sweep(store))
    assert sorted(lost.place for step in steps for lost in step.expired) == sorted(rooms)
    await store.close()


async def test_change_returns_the_members_that_a_read_returns(presence):
    for name in (OLD, NOVA, MIRA):
        change = await put(presence, name)
        assert (change.version, change.members) == await presence.read(PLACE)
    gone = await remove(presence, NOVA)
    assert (gone.version, gone.members) == await presence.read(PLACE)
    assert list(gone.members) == [OLD, MIRA]
