"""Garbage on Redis, where the processes meet: damaged events, and arbitrary bytes."""

import asyncio
import random
from typing import Any

import msgpack
import pytest
from redis.asyncio import Redis as Connection

from tests.support.patience import PATIENCE
from tests.support.servers import room_under_attack
from tests.support.servers.room_under_attack import RecordingSocket

OTHERS = 4
HEARD, BROKEN = 30, 2_000
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**40,
    1.5,
    "text",
    b"",
    b"\xff\xfe",
    b"{",
    b"NaN",
    [],
    {},
    {"a": {}},
]


def broken(heard: list[bytes], n: int) -> bytes:
    """Return one of the recorded messages, damaged; equal `n` gives equal damage."""
    rng = random.Random(n)
    data = bytearray(rng.choice(heard))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randint(1, 9)]
            case 2:
                data[at:at] = rng.randbytes(rng.randint(1, 9))
            case 3:
                data[at:] = rng.choice(heard)[at:]
        data = data or bytearray(b"\x80")
    return bytes(data)


def odd_messages(heard: list[bytes]) -> list[bytes]:
    """Return messages of the right form, with one value of another kind."""
    found = []
    for data in heard:
        message = msgpack.unpackb(data)
        found += [msgpack.packb({**message, name: odd}) for name in message for odd in ODD]
    return found


@pytest.mark.target("S23")
async def test_garbage_on_redis_stops_no_delivery(open_site, figure):
    cluster, redis = open_site.processes, open_site.redis
    async with room_under_attack.room(cluster) as room, Connection.from_url(redis.url) as stranger:
        others = [
            RecordingSocket(p.url, f"/ws/chat/{room.key}/") for p in cluster for _ in range(OTHERS)
        ]
        for n, other in enumerate(others):
            await other.__aenter__()
            await other.enter(f"Other {n}")
        heard = await _listen(stranger, room)
        channels = await stranger.pubsub_channels()
        assert channels
        odd = odd_messages(heard[:3])
        for n in range(BROKEN):
            garbage = odd[n] if n < len(odd) else broken(heard, n)
            await stranger.publish(channels[n % len(channels)], garbage)
        for raw in (b"", b"\xff\xfe", b"\x80", b"\xc1", bytes(100_000)):
            for channel in channels:
                await stranger.publish(channel, raw)
        await room.host.post("still here")
        everyone = [room.host, room.host_call, room.lobby, *others]
        deaf = [recorder for recorder in [room.host, *others] if not await _hears(recorder)]
        closed = [recorder for recorder in everyone if recorder.close_code is not None]
        figure("sockets closed", len(closed), limit=0)
        figure("sockets that hear no more", len(deaf), limit=0)
        figure(
            "frames that are no JSON",
            sum(recorder.reading.done() for recorder in everyone),
            limit=0,
        )
        for other in others:
            await other.__aexit__()


async def _listen(stranger: Connection, room: room_under_attack.TargetRoom) -> list[bytes]:
    """Return messages that the processes send each other."""
    heard: list[bytes] = []
    async with stranger.pubsub() as recorder:
        await recorder.psubscribe("*")
        while len(heard) < HEARD:
            await room.host.post("overheard")
            message = await recorder.get_message(ignore_subscribe_messages=True, timeout=1)
            if message is not None:
                heard.append(message["data"])
    return heard


async def _hears(recorder: RecordingSocket) -> bool:
    try:
        async with asyncio.timeout(5 * PATIENCE):
            while not any("still here" in text for text in recorder.heard):
                await recorder.event("beat")  # or an event of earlier messages
    except (TimeoutError, ConnectionError):
        return False
    return True
