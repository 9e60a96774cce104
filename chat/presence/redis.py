"""Presence of several processes in Redis, by the clock of Redis. Each step is one Lua script.

A place `p` has five keys: `noom:p:leases` (members by the millisecond at which they end),
`noom:p:records`, `noom:p:holders` (the connection of each member), `noom:p:version` and
`noom:p:log` (the members that changed last). `noom:due` orders the places by the first lease in
them that may end. For a while `noom:p:ended:m` holds the number of the last connection of a
removed member `m`.

A process remembers the places that it read, each at a version, and queries the changes alone.
Entering a room of a thousand members does not read them all.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple, cast
from weakref import WeakValueDictionary

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat.errors import Outdated, Unavailable
from chat.presence import redis_scripts as scripts
from chat.presence.base import (
    Action,
    Change,
    Claim,
    Expired,
    Lease,
    Occupancy,
    Renewed,
    Snapshot,
    Swept,
    Transition,
)
from chat.protocol.messages import Member

MAX_ATTEMPTS = 50  # attempts at a change; other processes may overtake each one
READ_CHUNK = 100  # places in one script, during which Redis serves nobody else
RENEW_CHUNK = 500  # leases in one script, during which Redis serves nobody else
QUERY_TIMEOUT_S = 2.0  # timeout of a query; past that it raises Unavailable
MAX_CACHED_PLACES = 1_000  # places that a process remembers; past that the oldest one is forgotten
PREFIX = "noom:"
DUE = f"{PREFIX}due"
CHECK = f"{PREFIX}check"

Decode = Callable[[str, bytes], Member]


class _CachedPlace(NamedTuple):
    """A place as a process knows it. It is immutable, so its holder may keep it."""

    version: int
    members: dict[str, Member]  # in the order of their arrival
    ended: frozenset[str] = frozenset()  # members whose lease has ended and is not swept yet

    def living(self) -> dict[str, Member]:
        if not self.ended:
            return self.members
        return {id: member for id, member in self.members.items() if id not in self.ended}

    def after(self, version: int, new: Sequence[Member], gone: Sequence[str]) -> "_CachedPlace":
        """The place after these members have changed or come, and those have gone."""
        changed = {record.id: record for record in new}
        members = self.members | changed
        for id in gone:
            members.pop(id, None)
        if changed.keys() - self.members.keys():
            members = dict(sorted(members.items(), key=_coming))
        return _CachedPlace(version, members, self.ended - changed.keys() - set(gone))


class _Update(NamedTuple):
    """A change of one member."""

    member_id: str
    before: Member | None
    after: Member | None
    claim: Claim | None


def _coming(item: tuple[str, Member]) -> tuple[int, str]:
    return item[1].since, item[0]


NOTHING = _CachedPlace(0, {})


class RedisPresence:
    """Leases in Redis. Every method raises Unavailable if Redis does not answer."""

    def __init__(self, redis: Redis, decode: Decode, process: str) -> None:
        self._redis = redis
        self._process = process
        self._decode = decode
        self._cache: dict[str, _CachedPlace] = {}  # ordered by the last read
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._read_script = redis.register_script(scripts.READ)
        self._read_many_script = redis.register_script(scripts.READ_MANY)
        self._change_script = redis.register_script(scripts.CHANGE)
        self._renew_script = redis.register_script(scripts.RENEW)
        self._expire_script = redis.register_script(scripts.EXPIRE)
        self._counts_script = redis.register_script(scripts.COUNTS)

    async def read(self, place: str) -> Snapshot:
        known = await self._fetch(place)
        return Snapshot(known.version, known.living())

    async def update(
        self, place: str, member_id: str, transition: Transition, claim: Claim | None = None
    ) -> Change:
        # Optimistic locking: apply the rule to the known place and write if the version is
        # unchanged. Otherwise merge the changes that Redis answers with, and try again. The lock
        # avoids conflicts within this process. A refusal, or a change without effect, is decided
        # only on data that was just read.
        takes = claim is not None and claim.action is Action.TAKE
        async with self._locks.setdefault(place, asyncio.Lock()):
            known, is_fresh = self._cache.get(place, NOTHING), False
            for attempt in range(MAX_ATTEMPTS):
                members = known.living()
                try:
                    before, after = members.get(member_id), transition(members)
                    writes = before is not None or (takes and after is not None)
                except Exception:
                    if is_fresh:
                        raise
                    writes = False
                if writes:
                    answer = await self._write(
                        place, known, _Update(member_id, before, after, claim)
                    )
                    if isinstance(answer, Change):
                        return answer
                    if answer is None and claim and claim.action is not Action.RELEASE:
                        raise Outdated(claim.connection_id)
                    if answer is None:
                        return Change(before, before, len(members), known.version, members)
                    known, is_fresh = answer, True
                elif is_fresh:
                    return Change(None, None, len(members), known.version, members)
                else:
                    known, is_fresh = await self._fetch(place), True
                if attempt:
                    await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 - no secret
        raise Unavailable(f"{place} changes too fast")

    async def renew(self, leases: Iterable[Lease], lease_s: float) -> Renewed:
        waiting, renewed = list(leases), Renewed([], [])
        for start in range(0, len(waiting), RENEW_CHUNK):
            chunk = waiting[start : start + RENEW_CHUNK]
            arguments: list[str | bytes | int] = [PREFIX, self._process, int(lease_s * 1000)]
            for place, record, line, number in chunk:
                arguments += [place, record.id, msgspec.json.encode(record), line, number]
            answer = await _with_timeout(self._renew_script(keys=[DUE], args=arguments))
            for found, numbers in zip(renewed, answer, strict=True):
                found += [chunk[number] for number in numbers]
        return renewed

    async def now(self) -> float:
        seconds, microseconds = await _with_timeout(self._redis.time())
        return int(seconds) + int(microseconds) / 1_000_000

    async def expire(self, until: float) -> Swept:
        arguments: list[str | int] = [PREFIX, int(until * 1000)]
        rows, more = await _with_timeout(self._expire_script(keys=[DUE], args=arguments))
        lost = []
        for place, record, count, version in rows:
            name = place.decode()
            change = Change(self._decode(name, record), None, count, version)
            lost.append(Expired(name, change))
        return Swept(lost, bool(more))

    async def versions(self, places: Sequence[str]) -> list[int]:
        keys = [f"{PREFIX}{place}:version" for place in places]
        found = await _with_timeout(self._redis.mget(keys)) if keys else []
        return [int(version or 0) for version in found]

    async def read_many(self, places: Sequence[str]) -> list[Occupancy]:
        occupancies: list[Occupancy] = []
        for start in range(0, len(places), READ_CHUNK):
            chunk = places[start : start + READ_CHUNK]
            cached = [self._cache.get(place, NOTHING) for place in chunk]
            args: list[str | int] = []
            for place, before in zip(chunk, cached, strict=True):
                args += [f"{PREFIX}{place}", before.version]
            answer = await _with_timeout(self._read_many_script(args=args))
            for place, before, (delta, holders) in zip(chunk, cached, answer, strict=True):
                now = self._apply_delta(place, before, delta)
                pairs = zip(holders[::2], holders[1::2], strict=True)
                processes = {i.decode(): h.decode().partition(" ")[0] for i, h in pairs}
                occupancies.append(Occupancy(Snapshot(now.version, now.living()), processes))
        return occupancies

    async def member_counts(self, kind: str) -> dict[str, int]:
        found = await _with_timeout(self._counts_script(keys=[DUE], args=[PREFIX, f"{kind}:"]))
        pairs = zip(found[::2], found[1::2], strict=True)
        return {place.decode().partition(":")[2]: count for place, count in pairs}

    async def check(self) -> None:
        # A write, because a full Redis still answers reads.
        await _with_timeout(self._redis.set(CHECK, self._process, px=1_000))

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._redis.aclose()

    async def _fetch(self, place: str) -> _CachedPlace:
        """The current place, read from Redis as far as it changed."""
        known = self._cache.get(place, NOTHING)
        news = await _with_timeout(self._read_script(args=[f"{PREFIX}{place}", known.version]))
        return self._apply_delta(place, known, news)

    async def _write(
        self, place: str, known: _CachedPlace, step: _Update
    ) -> Change | _CachedPlace | None:
        """Write a change.

        Returns the change. If the place is another one than `known`, returns it as it is now. If a
        newer connection holds the member, returns None.
        """
        before, after, claim = step.before, step.after, step.claim or Claim("", Action.USE)
        record = b"" if after is None else msgspec.json.encode(after)
        lease_ms = int(claim.lease_s * 1000)
        answer = await _with_timeout(
            self._change_script(
                keys=[DUE],
                args=[
                    *(f"{PREFIX}{place}", known.version, len(known.ended)),
                    *(step.member_id, record, int(before != after), place),
                    claim.action if step.claim else "",
                    *(self._process, claim.connection_id, claim.number, lease_ms),
                ],
            )
        )
        match answer:
            case [b"held"]:
                return None
            case [b"stale", delta]:
                return self._apply_delta(place, known, delta)
        _, version, count, former = answer
        line = former.decode()
        gone = [] if after else [step.member_id]
        here = self._remember(place, known.after(version, [after] if after else [], gone))
        replaced = line if claim.action is Action.TAKE and line != claim.connection_id else ""
        return Change(before, after, count, version, here.living(), replaced)

    def _apply_delta(self, place: str, known: _CachedPlace, delta: list[Any]) -> _CachedPlace:
        """Merge the changes since `known` into the known place."""
        version, is_all, records, gone, ended = delta
        before = NOTHING if is_all else known
        new = [self._decode(place, record) for record in records]
        here = before.after(version, new, [id.decode() for id in gone])
        return self._remember(place, here._replace(ended=frozenset(id.decode() for id in ended)))

    def _remember(self, place: str, known: _CachedPlace) -> _CachedPlace:
        self._cache.pop(place, None)
        if known.members:
            self._cache[place] = known
            if len(self._cache) > MAX_CACHED_PLACES:
                del self._cache[next(iter(self._cache))]
        return known


async def _with_timeout(question: Awaitable[Any] | Any) -> Any:
    # redis-py limits each step of each try, which adds up to a quarter of a minute.
    try:
        async with asyncio.timeout(QUERY_TIMEOUT_S):
            return await cast(Awaitable[Any], question)
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(str(error)) from error
