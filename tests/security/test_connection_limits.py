"""One address opens all sockets that it can.

Other people still enter, and all is freed.
"""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis as Connection

from chat import tokens
from chat.names import keys
from tests.support.clients import bystanders, raw_websocket
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process

ATTACKER, OTHER = "127.0.0.2", "127.0.0.3"
SOCKETS, SLOW, ROOMS, GUESSES = 5_000, 1_000, 10_000, 2_000
BURST = 250  # five seconds' worth, which is allowed
AT_ONCE = 200
JOINS = 20
BACK_WITHIN_S = 120


async def open_socket(url: str, path: str, frames: bytes = b"") -> asyncio.StreamWriter | None:
    """Open a socket from the attacker's address; return None if the server refuses it."""
    target = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(
            target.hostname, target.port, local_addr=(ATTACKER, 0)
        )
        writer.write(raw_websocket.handshake(url, path) + frames)
        async with asyncio.timeout(30 * PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            first, _ = raw_websocket.parse(await reader.read(65_536))
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return None
    if b" 101 " in head and not any(frame.opcode == raw_websocket.CLOSE for frame in first):
        return writer
    writer.close()
    return None


async def all_at_once(count: int, attempts: Iterator[str], url: str) -> list[asyncio.StreamWriter]:
    """Open sockets at these paths, many at a time; return those that stay open."""
    found: list[asyncio.StreamWriter] = []

    async def work() -> None:
        for path in attempts:
            writer = await open_socket(url, path, hello(path))
            if writer is not None:
                found.append(writer)

    await asyncio.gather(*(work() for _ in range(min(count, AT_ONCE))))
    return found


def hello(path: str) -> bytes:
    """Return the message that enters the room of a path; nothing for the lobby."""
    if "/chat/" not in path:
        return b""
    key = path.split("/")[3]
    token = tokens.issue(key=key, browser="attacker", room_name="Taken")
    message = {"type": "enter_room", "payload": {"token": token, "nickname": "A"}, "ref": 1}
    return raw_websocket.masked(raw_websocket.TEXT, json.dumps(message).encode())


async def slowest_join(url: str, until: "asyncio.Future[Any]") -> float:
    """Return the longest entry of somebody at another address while the block runs."""
    worst, joined = 0.0, 0
    while joined < JOINS or not until.done():
        began = time.monotonic()
        async with Wire(url, "/ws/chat/elsewhere/", address=OTHER) as wire:
            await wire.enter("Other")
        worst = max(worst, time.monotonic() - began)
        joined += 1
        await asyncio.sleep(0.1)
    return worst


@pytest.mark.target("S8")
@pytest.mark.slow
async def test_thousands_of_sockets_of_one_address_are_capped(start_process, figure):
    noom: Process = start_process(ROOM_CAPACITY="1000")
    paths = iter(["/ws/lobby/"] * SOCKETS)
    attack = asyncio.ensure_future(all_at_once(SOCKETS, paths, noom.url))
    worst = await slowest_join(noom.url, attack)
    held = await attack
    figure("sockets held by one address", len(held), limit=1_000)
    figure("another's join meanwhile", worst, limit=1, unit="s")
    for writer in held:
        writer.close()


@pytest.mark.target("S8")
@pytest.mark.slow
async def test_slow_handshakes_of_one_address_are_capped(start_process, figure):
    noom: Process = start_process()
    target = urlsplit(noom.url)
    lines = []
    for _ in range(SLOW):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(
                target.hostname, target.port, local_addr=(ATTACKER, 0)
            )
            writer.write(b"GET / HTTP/1.1\r\nHost: ")
            lines.append(writer)
    dribble = asyncio.ensure_future(_dribble(lines))
    worst = await slowest_join(noom.url, dribble)
    longest = await dribble
    figure("another's join meanwhile", worst, limit=1, unit="s")
    figure("slow handshakes open after 20 s", longest["left"], limit=0)
    figure("slow handshakes open after 2 s", longest["soon"], limit=100)
    for writer in lines:
        writer.close()


async def _dribble(lines: list[asyncio.StreamWriter]) -> Counter[str]:
    """Send a byte a second to each.

    Return how many are open after 2 s, and after 20 s.
    """
    found: Counter[str] = Counter()
    for second in range(20):
        for writer in lines:
            if not writer.transport.is_closing():
                writer.write(b"x")
        await asyncio.sleep(1)
        if second == 2:
            found["soon"] = _open(lines)
    found["left"] = _open(lines)
    return found


def _open(lines: list[asyncio.StreamWriter]) -> int:
    return sum(not writer.transport.is_closing() for writer in lines)


@pytest.mark.target("S9")
@pytest.mark.slow
async def test_thousands_of_rooms_of_one_address_leave_no_state(redis, start_process, figure):
    redis.start()
    redis.forget()
    noom: Process = start_process(REDIS_URL=redis.url, ROOMS_PER_ADDRESS_PER_DAY="100000")
    async with (
        Connection.from_url(redis.url) as connection,
        Wire(noom.url, "/ws/chat/here/", address=OTHER) as other,
    ):
        await other.enter("Other")
        keys = await _keys(connection)
        # A process keeps the memory that it needs to serve many: it has served many before.
        await _make_rooms(noom.url, "before", ROOMS // 5)
        await _settle(connection, keys)
        memory = bystanders.memory_mb(noom)
        began = time.monotonic()
        made = await _make_rooms(noom.url, "room", ROOMS)
        took = time.monotonic() - began
        figure("rooms beyond the first 250", (made - BURST) / took, limit=50, unit="/s")
        left = await _settle(connection, keys)
        figure("keys in Redis after 2 min", left, limit=0)
        figure("memory after 2 min", bystanders.memory_mb(noom) - memory, limit=20, unit="MB")
        assert other.close_code is None


async def _make_rooms(url: str, name: str, count: int) -> int:
    """Return how many rooms the attacker could create of so many."""
    held = await all_at_once(count, iter([f"/ws/chat/{name}-{n}/" for n in range(count)]), url)
    for writer in held:
        writer.close()
    return len(held)


async def _keys(connection: Connection) -> int:
    return int(await connection.dbsize())


async def _settle(connection: Connection, keys: int) -> int:
    """Return how many keys are too many in the end, at most two minutes from now."""
    for _ in range(BACK_WITHIN_S):
        if (left := await _keys(connection) - keys) <= 0:
            break
        await asyncio.sleep(1)
    return left


@pytest.mark.target("S21")
def test_address_of_an_unlisted_room_holds_80_random_bits(figure):
    guesses = [keys.unlisted_key("Team") for _ in range(10_000)]
    secrets = [key.partition("~")[2] for key in guesses]
    letters = [Counter(secret[place] for secret in secrets) for place in range(16)]
    assert len(set(secrets)) == len(secrets)
    # Thirty-two letters, 5 bits each, about equally frequent at each position.
    assert all(len(seen) == 32 and max(seen.values()) < 2 * 10_000 / 32 for seen in letters)
    figure("bits short of 80", 80 - 5 * len(secrets[0]), limit=0)


@pytest.mark.target("S21")
@pytest.mark.slow
async def test_guessing_addresses_is_limited(start_process, figure):
    noom: Process = start_process()
    paths = iter([f"/ws/chat/{keys.unlisted_key('team')}/" for _ in range(GUESSES)])
    began = time.monotonic()
    held = await all_at_once(GUESSES, paths, noom.url)
    took = time.monotonic() - began
    figure("guesses beyond the first 250", (len(held) - BURST) / took, limit=50, unit="/s")
    for writer in held:
        writer.close()
