"""Leases: who is in, who runs out, and the versions that tell of it; in memory and in Redis."""

import asyncio
import socket
from functools import partial

import msgspec
import pytest
from django.conf import settings
from redis.asyncio import Redis

from chat import closes
from chat.errors import Unavailable
from chat.messages import Member
from chat.presence import Hold, Lease, MemoryPresence, Snapshot
from chat.presence_redis import DUE, RedisPresence
from chat.presence_scripts import LOGGED
from tests.live.server import free_port

LEASE_S = 10.0
PLACE = "chat:room"
OLD, NOVA, MIRA, KIM = (name.ljust(12, "-") for name in ("old", "nova", "mira", "kim"))
SINCE = {OLD: 1, NOVA: 2, MIRA: 3, KIM: 4}


class Memory(MemoryPresence):
    """Presence in memory, whose time passes when it is told to."""

    def __init__(self):
        self.now = 0.0
        super().__init__(lambda: self.now, "here")

    async def pass_time(self, seconds):
        self.now += seconds


def decode(place, record):
    return msgspec.json.decode(record, type=Member)


class InRedis(RedisPresence):
    """Presence in Redis; time passes by every lease ending that much sooner."""

    def __init__(self, url):
        self.redis = Redis.from_url(url, retry=None, socket_timeout=2.0)
        super().__init__(
            self.redis, lambda place, record: msgspec.json.decode(record, type=Member), "here"
        )

    async def pass_time(self, seconds):
        keys = [DUE, *await self.redis.keys("noom:*:leases")]
        for key in keys:
            for name in await self.redis.zrange(key, 0, -1):
                await self.redis.zincrby(key, -int(seconds * 1000), name)  # type: ignore[arg-type]


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.live)])
async def presence(request):
    if request.param == "memory":
        yield Memory()
        return
    store = InRedis(request.getfixturevalue("redis_url"))
    await store.redis.flushall()
    yield store
    await store.close()


@pytest.fixture
async def two(redis_url):
    """What two processes know of the same presence."""
    first, second = InRedis(redis_url), InRedis(redis_url)
    await first.redis.flushall()
    yield first, second
    await first.close()
    await second.close()


def member(name: str, *, here: bool = True) -> Member:
    return Member(id=name, here=here, since=SINCE[name])


async def put(presence, name, hold=None, **fields):
    record = member(name, **fields)
    return await presence.update(PLACE, name, lambda _: record, LEASE_S, hold)


def lease(name, line=""):
    return Lease(PLACE, member(name), line)


def taking(line):
    return Hold(line, takes=True)


def ended(line):
    return Hold(line, takes=False)


async def test_a_rule_that_raises_changes_nothing(presence):
    await put(presence, NOVA)
    before = await presence.read(PLACE)

    def full(members):
        raise OverflowError

    with pytest.raises(OverflowError):
        await presence.update(PLACE, MIRA, full, LEASE_S)
    assert await presence.read(PLACE) == before


async def test_each_change_raises_the_version_by_one_and_no_change_leaves_it(presence):
    first = await put(presence, NOVA)
    assert (first.before, first.after, first.count) == (None, member(NOVA), 1)
    same = await put(presence, NOVA)
    assert same.version == first.version
    away = await put(presence, NOVA, here=False)
    assert away.version == first.version + 1
    gone = await presence.update(PLACE, NOVA, lambda _: None, LEASE_S)
    assert (gone.after, gone.count, gone.version) == (None, 0, first.version + 2)


async def test_a_rule_sees_the_living_in_the_order_in_which_they_came(presence):
    await put(presence, OLD)
    await presence.pass_time(5)
    await put(presence, NOVA)
    await put(presence, MIRA)
    await presence.pass_time(6)
    seen: list[str] = []

    def look(members):
        seen[:] = members

    await presence.update(PLACE, KIM, look, LEASE_S)
    assert seen == [NOVA, MIRA]


async def test_a_lease_that_ran_out_is_not_read_and_is_told_once(presence):
    entered = await put(presence, NOVA)
    await put(presence, MIRA)
    await presence.pass_time(6)
    await presence.renew([lease(MIRA)], LEASE_S)
    await presence.pass_time(5)
    assert list((await presence.read(PLACE)).members) == [MIRA]
    assert await presence.counts("chat") == {"room": 1}
    (lost,) = await presence.expire()
    assert lost.place == PLACE
    assert lost.change.before == member(NOVA)
    assert (lost.change.count, lost.change.version) == (1, entered.version + 2)
    assert await presence.expire() == []


async def test_who_returns_before_the_sweep_is_not_swept(presence):
    await put(presence, NOVA)
    await presence.pass_time(11)
    await put(presence, NOVA)
    assert await presence.expire() == []
    assert await presence.counts("chat") == {"room": 1}


async def test_a_grace_is_shorter_than_a_lease(presence):
    await put(presence, NOVA)
    await presence.update(PLACE, NOVA, lambda m: msgspec.structs.replace(m[NOVA], here=False), 2)
    await presence.pass_time(3)
    assert len(await presence.expire()) == 1


async def test_a_place_that_begins_anew_has_a_higher_version(presence):
    first = await put(presence, NOVA)
    gone = await presence.update(PLACE, NOVA, lambda _: None, LEASE_S)
    again = await put(presence, NOVA)
    assert again.version >= gone.version > first.version


async def test_places_are_counted_by_kind(presence):
    await put(presence, NOVA)
    await presence.update("call:room", NOVA, lambda _: member(NOVA), LEASE_S)
    assert await presence.counts("chat") == {"room": 1}
    assert await presence.counts("call") == {"room": 1}
    assert await presence.counts("other") == {}


async def test_nothing_is_kept_of_an_empty_place(presence):
    await put(presence, NOVA)
    await presence.update(PLACE, NOVA, lambda _: None, LEASE_S)
    assert (await presence.read(PLACE)).members == {}
    assert await presence.counts("chat") == {}


async def test_versions_of_many_places_are_told_at_once(presence):
    change = await put(presence, NOVA)
    assert await presence.versions([PLACE, "chat:empty"]) == [change.version, 0]
    assert await presence.versions([]) == []


async def test_changes_at_one_moment_all_happen_one_after_the_other(presence):
    def at_most_two(name, members):
        if len(members) >= 2:
            raise OverflowError
        return member(name)

    outcomes = await asyncio.gather(
        *(presence.update(PLACE, n, partial(at_most_two, n), LEASE_S) for n in SINCE),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, OverflowError) for outcome in outcomes) == 2


@pytest.mark.live
async def test_whom_redis_forgot_is_put_back_by_the_next_renewal(redis_url):
    store = InRedis(redis_url)
    before = await put(store, NOVA)
    await store.redis.flushall()
    assert (await store.read(PLACE)).members == {}
    await store.renew([lease(NOVA)], LEASE_S)
    snapshot = await store.read(PLACE)
    assert snapshot.members == {NOVA: member(NOVA)}
    assert snapshot.version > before.version
    await store.close()


@pytest.mark.live
async def test_two_processes_tell_of_a_lost_lease_once(two):
    first, second = two
    for name in SINCE:
        await put(first, name)
    await first.pass_time(11)
    lost = await asyncio.gather(first.expire(), second.expire(), first.expire())
    ids = [gone.change.before.id for part in lost for gone in part if gone.change.before]
    assert sorted(ids) == sorted(SINCE)


@pytest.mark.live
async def test_what_another_process_changed_is_decided_on(two):
    first, second = two
    await put(first, NOVA)
    await put(second, MIRA)
    await put(first, NOVA, here=False)
    seen: list[dict[str, Member]] = []
    await second.update(PLACE, KIM, lambda members: seen.append(dict(members)), LEASE_S)
    assert seen[-1] == {NOVA: member(NOVA, here=False), MIRA: member(MIRA)}
    await first.update(PLACE, MIRA, lambda _: None, LEASE_S)
    change = await put(second, KIM)
    assert (change.count, list(change.members)) == (2, [NOVA, KIM])
    assert (
        await first.read(PLACE)
        == await second.read(PLACE)
        == Snapshot(change.version, change.members)
    )


@pytest.mark.live
async def test_nobody_is_refused_for_one_who_has_left_at_another_process(two):
    first, second = two
    await put(first, NOVA)
    await second.read(PLACE)
    await first.update(PLACE, NOVA, lambda _: None, LEASE_S)

    def alone(members):
        if members:
            raise OverflowError
        return member(MIRA)

    assert (await second.update(PLACE, MIRA, alone, LEASE_S)).count == 1


@pytest.mark.live
async def test_a_lease_that_ended_is_noticed_by_who_knew_it(two):
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
async def test_who_knows_too_little_of_a_place_reads_it_whole(two):
    first, second = two
    await put(second, KIM)
    for number in range(LOGGED + 2):
        await put(first, NOVA, here=bool(number % 2))
    await first.update(PLACE, KIM, lambda _: None, LEASE_S)
    assert list((await second.read(PLACE)).members) == [NOVA]
    await first.redis.flushall()
    assert await second.read(PLACE) == Snapshot(0, {})
    born = await put(first, MIRA)
    assert await second.read(PLACE) == Snapshot(born.version, {MIRA: member(MIRA)})


async def test_a_redis_that_is_away_is_said_to_be_down():
    store = InRedis(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        await store.read(PLACE)
    with pytest.raises(Unavailable):
        await store.renew([lease(NOVA)], LEASE_S)
    await store.close()


async def test_a_redis_that_is_frozen_is_said_to_be_down_while_pages_are_still_patient():
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel answers, and nobody else
        redis = Redis(port=silent.getsockname()[1], **settings.REDIS_OPTIONS)
        store = RedisPresence(redis, decode, "here")
        async with asyncio.timeout(closes.SILENT_S):
            with pytest.raises(Unavailable):
                await store.renew([lease(NOVA)], LEASE_S)
        await store.close()


async def test_who_renews_a_lease_is_known_until_it_ends(presence):
    await put(presence, NOVA)
    await presence.renew([lease(NOVA)], LEASE_S)
    assert await presence.holders(PLACE) == {NOVA: "here"}
    await presence.update(PLACE, NOVA, lambda _: None, LEASE_S)
    assert await presence.holders(PLACE) == {}


async def test_a_line_that_comes_in_takes_the_place_of_the_one_before(presence):
    first = await put(presence, NOVA, taking("one"))
    again = await put(presence, NOVA, taking("one"))
    assert (first.replaced, again.replaced) == ("", "")
    assert (await put(presence, NOVA, taking("two"))).replaced == "one"


async def test_the_end_of_a_line_counts_only_while_no_other_has_its_member(presence):
    await put(presence, NOVA, taking("one"))
    newer = await put(presence, NOVA, taking("two"))
    late = await put(presence, NOVA, ended("one"), here=False)
    assert (late.before, late.after, late.version) == (member(NOVA), member(NOVA), newer.version)
    away = await put(presence, NOVA, ended("two"), here=False)
    assert away.after == member(NOVA, here=False)
    gone = await presence.update(PLACE, NOVA, lambda _: None, LEASE_S, ended("two"))
    assert gone.count == 0


async def test_a_change_by_no_line_leaves_the_holder(presence):
    await put(presence, NOVA, taking("one"))
    await put(presence, NOVA, here=False)
    assert await presence.renew([lease(NOVA, "one")], LEASE_S) == []
    assert (await put(presence, NOVA, taking("two"))).replaced == "one"


async def test_a_line_does_not_renew_whom_another_has_taken(presence):
    await put(presence, NOVA, taking("one"))
    await put(presence, MIRA, taking("three"))
    await put(presence, NOVA, taking("two"))
    await presence.pass_time(6)
    old, own = lease(NOVA, "one"), lease(MIRA, "three")
    assert await presence.renew([old, own], LEASE_S) == [old]
    await presence.pass_time(5)
    assert list((await presence.read(PLACE)).members) == [MIRA]


@pytest.mark.live
async def test_who_is_told_to_go_while_its_entry_is_on_its_way_does_not_take_a_newer_line(two):
    first, second = two
    await put(first, NOVA, taking("zero"))
    await first.read(PLACE)
    told = False

    def rule(_):
        if told:
            raise InterruptedError
        return member(NOVA)

    async def overtaken(place, known, step):
        # Decided, and not written yet: its page is told to go, and comes in at the other one.
        nonlocal told
        if not told:
            told = True
            await put(second, NOVA, taking("two"))
        return await write(place, known, step)

    write, first._write = first._write, overtaken
    with pytest.raises(InterruptedError):
        await first.update(PLACE, NOVA, rule, LEASE_S, taking("one"))
    assert await second.renew([lease(NOVA, "two")], LEASE_S) == []


async def test_a_change_tells_who_is_there_as_whoever_reads_then_is_told(presence):
    for name in (OLD, NOVA, MIRA):
        change = await put(presence, name)
        assert (change.version, change.members) == await presence.read(PLACE)
    gone = await presence.update(PLACE, NOVA, lambda _: None, LEASE_S)
    assert (gone.version, gone.members) == await presence.read(PLACE)
    assert list(gone.members) == [OLD, MIRA]
