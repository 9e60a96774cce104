"""Effects on bystanders while another client misbehaves."""

import asyncio
import contextlib
import itertools
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable

from tests.support.clients.websocket import Wire
from tests.support.figures.process_usage import Load
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import ROOT

# seconds between two events of one pair: longer than the interval of a socket's limit
EVERY_S = 0.12


def p99_ms(delays: list[float]) -> float:
    """Return the 99th percentile of delays in milliseconds; NaN for too few."""
    if len(delays) < 100:
        return float("nan")
    return sorted(delays)[int(len(delays) * 0.99)] * 1000


class Bystanders:
    """Pairs, each in a room of its own: one changes the nickname, the other sees it."""

    def __init__(self, pairs: list[tuple[Wire, Wire]]) -> None:
        self._pairs = pairs
        # Each nickname differs from the one before, also between two measurements.
        self._number = itertools.count()

    async def delays(self, seconds: float) -> list[float]:
        """Return how long each event took from one person to the other, in seconds."""
        until = time.monotonic() + seconds
        return await self._all(lambda: time.monotonic() < until)

    async def delays_during(self, program: "subprocess.Popen[bytes]") -> list[float]:
        """Return the delays of events for as long as a program runs."""
        return await self._all(lambda: program.poll() is None)

    async def _all(self, on: Callable[[], bool]) -> list[float]:
        found = await asyncio.gather(*(self._pair(on, *pair) for pair in self._pairs))
        return [delay for part in found for delay in part]

    async def _pair(self, on: Callable[[], bool], one: Wire, other: Wire) -> list[float]:
        found: list[float] = []
        await asyncio.sleep(random.uniform(0, EVERY_S))
        while on():
            began = time.monotonic()
            await one.send("nickname", nickname=f"Bystander {next(self._number)}")
            await other.event("nickname")
            found.append(time.monotonic() - began)
            await asyncio.sleep(EVERY_S)
        return found


@contextlib.asynccontextmanager
async def present(url: str, key: str, *, pairs: int) -> AsyncIterator[Bystanders]:
    """Keep people in rooms while the block runs, and check that they are still there."""
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for n in range(pairs):
            pair = [Wire(url, f"/ws/chat/{key}-{n}/") for _ in range(2)]
            for wire in pair:
                await (await stack.enter_async_context(wire)).enter("Bystander")
            found.append((pair[0], pair[1]))
        yield Bystanders(found)
        lost = [wire for pair in found for wire in pair if wire.close_code is not None]
        assert not lost, "a bystander was lost"


def memory_mb(process: Process) -> float:
    """Return the memory of a server process."""
    return Load(process.pid).memory_bytes() / 2**20


def start(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start one of the misbehaving clients in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
    )
