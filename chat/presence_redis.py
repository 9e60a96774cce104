"""Presence of many processes, in Redis and by Redis' own clock: each step is one Lua script.

Of a place `p` four keys are kept: `noom:p:leases` (members by the millisecond at which they end),
`noom:p:records`, `noom:p:holders` (who renews them) and `noom:p:version`; `noom:due` orders the
places by the first lease in them that may end.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast
from weakref import WeakValueDictionary

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat import presence_scripts as scripts
from chat.errors import Unavailable
from chat.messages import Member
from chat.presence import Change, Lease, Lost, Rule, Snapshot

MAX_TRIES = 50  # at a change that others keep overtaking
RENEW_CHUNK = 500
PREFIX = "noom:"
DUE = f"{PREFIX}due"
CHECK = f"{PREFIX}check"

Decode = Callable[[str, bytes], Member]


class _Read(NamedTuple):
    version: int
    members: dict[str, Member]


class RedisPresence:
    """Leases in Redis. Every method raises Unavailable when Redis does not answer."""

    def __init__(self, redis: Redis, decode: Decode, process: str) -> None:
        self._redis = redis
        self._process = process
        self._decode = decode
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._read_script = redis.register_script(scripts.READ)
        self._change_script = redis.register_script(scripts.CHANGE)
        self._renew_script = redis.register_script(scripts.RENEW)
        self._expire_script = redis.register_script(scripts.EXPIRE)
        self._counts_script = redis.register_script(scripts.COUNTS)

    async def read(self, place: str) -> Snapshot:
        found = await self._read(place)
        return Snapshot(found.version, found.members)

    async def update(self, place: str, member_id: str, rule: Rule, lease_s: float) -> Change:
        # The rule is Python's, so the step is: read, decide, write if nothing has changed since.
        # The lock spares a process the races with itself; those with others are tried again.
        async with self._locks.setdefault(place, asyncio.Lock()):
            for _ in range(MAX_TRIES):
                found = await self._read(place)
                before, after = found.members.get(member_id), rule(found.members)
                change = await self._write(place, found.version, member_id, before, after, lease_s)
                if change is not None:
                    return replace(change, members=_with(found.members, member_id, after))
                await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 - no secret
        raise Unavailable(f"{place} changes too fast")

    async def renew(self, leases: Iterable[Lease], lease_s: float) -> None:
        waiting = list(leases)
        for start in range(0, len(waiting), RENEW_CHUNK):
            arguments: list[str | bytes | int] = [PREFIX, int(lease_s * 1000), self._process]
            for place, record in waiting[start : start + RENEW_CHUNK]:
                arguments += [place, record.id, msgspec.json.encode(record)]
            await _answer(self._renew_script(keys=[DUE], args=arguments))

    async def expire(self) -> list[Lost]:
        lost = []
        for place, record, count, version in await _answer(
            self._expire_script(keys=[DUE], args=[PREFIX])
        ):
            name = place.decode()
            change = Change(self._decode(name, record), None, count, version)
            lost.append(Lost(name, change))
        return lost

    async def versions(self, places: Sequence[str]) -> list[int]:
        keys = [self._keys(place)[2] for place in places]
        found = await _answer(self._redis.mget(keys)) if keys else []
        return [int(version or 0) for version in found]

    async def holders(self, place: str) -> dict[str, str]:
        found = await _answer(self._redis.hgetall(f"{PREFIX}{place}:holders"))
        return {member.decode(): process.decode() for member, process in found.items()}

    async def counts(self, kind: str) -> dict[str, int]:
        found = await _answer(self._counts_script(keys=[DUE], args=[PREFIX, f"{kind}:"]))
        pairs = zip(found[::2], found[1::2], strict=True)
        return {place.decode().partition(":")[2]: count for place, count in pairs}

    async def check(self) -> None:
        # A write: a Redis that is full still answers questions.
        await _answer(self._redis.set(CHECK, self._process, px=1_000))

    async def close(self) -> None:
        """Gives the connections back."""
        await self._redis.aclose()

    async def _read(self, place: str) -> _Read:
        version, *pairs = await _answer(self._read_script(keys=self._keys(place)))
        records = [self._decode(place, record) for record in pairs]
        records.sort(key=lambda record: (record.since, record.id))
        return _Read(int(version), {record.id: record for record in records})

    async def _write(
        self,
        place: str,
        version: int,
        member_id: str,
        before: Member | None,
        after: Member | None,
        lease_s: float,
    ) -> Change | None:
        """The change, or None if somebody else was quicker."""
        if before is None and after is None:
            snapshot = await self._read(place)
            return Change(None, None, len(snapshot.members), snapshot.version)
        record = b"" if after is None else msgspec.json.encode(after)
        changed = int(before != after)
        arguments: list[str | bytes | int] = [
            version,
            member_id,
            record,
            int(lease_s * 1000),
            changed,
            place,
        ]
        answer = await _answer(
            self._change_script(
                keys=[*self._keys(place), DUE, f"{PREFIX}{place}:holders"], args=arguments
            )
        )
        return Change(before, after, answer[1], answer[0]) if answer else None

    def _keys(self, place: str) -> list[str]:
        return [f"{PREFIX}{place}:{name}" for name in ("leases", "records", "version")]


def _with(members: dict[str, Member], member_id: str, record: Member | None) -> dict[str, Member]:
    """The members after one has got this record, or has gone; a new one came last."""
    if record is not None:
        return members | {member_id: record}
    return {id: member for id, member in members.items() if id != member_id}


async def _answer(question: Awaitable[Any] | Any) -> Any:
    try:
        return await cast(Awaitable[Any], question)
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(str(error)) from error
