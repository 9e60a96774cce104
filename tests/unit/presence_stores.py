"""Presence in memory and in Redis for tests: time that passes at once, and people by name."""

import msgspec
from redis.asyncio import Redis

from chat.presence.base import Lease, release, take
from chat.presence.memory import MemoryPresence
from chat.presence.redis import DUE, RedisPresence
from chat.protocol.messages import Member

PRESENCE_LEASE_S = 10.0
PLACE = "chat:room"
OLD, NOVA, MIRA, KIM = (name.ljust(12, "-") for name in ("old", "nova", "mira", "kim"))
SINCE = {OLD: 1, NOVA: 2, MIRA: 3, KIM: 4}


class Memory(MemoryPresence):
    """Presence in memory, whose clock the test moves."""

    def __init__(self):
        self.seconds = 0.0
        super().__init__(lambda: self.seconds, "here")

    async def pass_time(self, seconds):
        self.seconds += seconds


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


def member(name: str, *, here: bool = True) -> Member:
    return Member(id=name, here=here, since=SINCE[name])


LINE = "line"


def taking(line=LINE, number=0):
    return take(line, lease_s=PRESENCE_LEASE_S, number=number)


async def put(presence, name, hold=None, *, place=PLACE, **fields):
    record = member(name, **fields)
    return await presence.update(place, name, lambda _: record, hold or taking())


async def remove(presence, name, hold=None):
    return await presence.update(PLACE, name, lambda _: None, hold)


async def end(presence, name, line, lease_s):
    """The connection ends; its member is away."""
    away = member(name, here=False)
    return await presence.update(PLACE, name, lambda _: away, release(line, lease_s=lease_s))


async def sweep(presence):
    return await presence.expire(await presence.now())


def lease(name, line=LINE, number=0):
    return Lease(PLACE, member(name), line, number)


def ids(lost):
    return [gone.change.before.id for gone in lost]
