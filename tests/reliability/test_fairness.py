"""One address uses all that each of its sockets may.

People elsewhere hardly notice.
"""

import asyncio
import contextlib
import json
import os
import signal
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat.protocol import close_codes
from tests.support.clients import bystanders
from tests.support.clients.websocket import Wire
from tests.support.figures.process_usage import Load
from tests.support.figures.targets import FIGURES
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.message_rows import fill

OTHER = "127.0.0.3"
LONG_ROOM, MESSAGES = "long", 3_000
QUIET_S, BUSY_S, SETTLE_S = 5.0, 10.0, 1.0
WRITE_S = 45.0  # until a pause: the clients spend the day's worth in two thirds of the time
# Without figures of speed, the crowd needs this long to have done everything.
TURNS = 3 if FIGURES else 1
PAUSE_S = 0.1
# The longest text takes nine minutes to spend a day's worth.
LONGEST, HOUR_S = 4_000, 3_600
WRITING_S = float(os.environ.get("NOOM_WRITING_S", "900"))


class Greedy:
    """Clients of one address that do all that they may, in a process of their own."""

    def __init__(self, url: str, *numbers: int) -> None:
        arguments = [url, LONG_ROOM, *map(str, numbers)]
        self._process = bystanders.start("tests.support.clients.greedy_clients", *arguments)

    def ready(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline() == b"ready\n"

    def begin(self) -> None:
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Pause the clients while the block runs; they keep their sockets."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def end(self) -> dict[str, int]:
        """Return how often each outcome occurred."""
        output, _ = self._process.communicate(b"")
        outcomes: dict[str, int] = json.loads(output)
        return outcomes


@contextlib.contextmanager
def greedy(url: str, *numbers: int) -> Iterator[Greedy]:
    crowd = Greedy(url, *numbers)
    try:
        yield crowd
    finally:
        crowd._process.kill()
        crowd._process.wait()


async def waits(url: str, seconds: float) -> dict[str, list[float]]:
    """Measure entries and messages of somebody at another address, again and again."""
    found: dict[str, list[float]] = {"entering": [], "saying": []}
    until = time.monotonic() + seconds
    async with Wire(url, "/ws/chat/beside/", address=OTHER) as wire:
        await wire.enter("Other")
        while time.monotonic() < until:
            began = time.monotonic()
            await wire.post("a word")
            found["saying"].append(time.monotonic() - began)
            newcomer = Wire(url, "/ws/chat/beside/", address=OTHER)
            async with newcomer:
                began = time.monotonic()
                await newcomer.enter("Newcomer")
                found["entering"].append(time.monotonic() - began)
                await newcomer.request("leave_room")
            wire.forget()
            await asyncio.sleep(PAUSE_S)
    return found


class ByTurns:
    """Waits of bystanders while the crowd acts and while it pauses.

    A machine that is busy elsewhere is busy in both phases.
    """

    def __init__(self, url: str, crowd: Greedy) -> None:
        self._url, self._crowd = url, crowd
        self._busy: dict[str, list[float]] = defaultdict(list)
        self._quiet: dict[str, list[float]] = defaultdict(list)

    async def turn(self, busy_s: float) -> None:
        self._note(self._busy, await waits(self._url, busy_s))
        with self._crowd.paused():
            await asyncio.sleep(SETTLE_S)
            self._note(self._quiet, await waits(self._url, QUIET_S))

    def record(self, figure: Any) -> None:
        for what, times in self._busy.items():
            busy, quiet = statistics.median(times), statistics.median(self._quiet[what])
            print(what, f"{quiet * 1000:.1f} ms, {busy * 1000:.1f} ms", len(times))
            figure(f"{what}: p50, to the usual", busy / quiet, limit=2, unit="×")

    def _note(self, found: dict[str, list[float]], more: dict[str, list[float]]) -> None:
        for what, times in more.items():
            found[what] += times


@pytest.mark.target("D4")
async def test_greedy_address_does_not_delay_others(
    start_process: Any, tmp_path: Path, figure: Any
) -> None:
    database = tmp_path / "long.sqlite3"
    noom = start_process(DATABASE_URL=f"sqlite:///{database}")
    async with Wire(noom.url, f"/ws/chat/{LONG_ROOM}/", address=OTHER) as wire:
        await wire.enter("First")
    await asyncio.to_thread(fill, database, LONG_ROOM, MESSAGES, "x" * 1_000)
    with greedy(noom.url, 10, 4, 100) as crowd:
        await asyncio.to_thread(crowd.ready)
        load = Load(noom.pid)
        crowd.begin()
        cpu, turns = load.cpu_s(), ByTurns(noom.url, crowd)
        for _ in range(TURNS):
            await turns.turn(BUSY_S)
        cpu = load.cpu_s() - cpu
        outcomes = await asyncio.to_thread(crowd.end)
    print(outcomes, f"{cpu:.1f} s of processor")
    turns.record(figure)
    # The server served the crowd, too, and closed its sockets only for the silence of its pauses.
    assert outcomes["history"] > 0
    assert outcomes["message"] > 0
    closed = {name for name in outcomes if name.startswith("closed")}
    assert closed <= {f"closed with {close_codes.SILENT}"}
    assert_no_failure(noom.log)


@pytest.mark.target("D5")
@pytest.mark.slow
@pytest.mark.timeout(HOUR_S + 600)
async def test_address_that_writes_for_an_hour_fills_no_disk(
    start_process: Any, tmp_path: Path, figure: Any
) -> None:
    database = tmp_path / "full.sqlite3"
    noom = start_process(DATABASE_URL=f"sqlite:///{database}")
    with greedy(noom.url, 0, 0, 50, LONGEST) as crowd:
        await asyncio.to_thread(crowd.ready)
        crowd.begin()
        used, turns = [(time.monotonic(), disk_mb(tmp_path))], ByTurns(noom.url, crowd)
        while used[-1][0] - used[0][0] < WRITING_S:
            await turns.turn(WRITE_S)
            used.append((time.monotonic(), disk_mb(tmp_path)))
        outcomes = await asyncio.to_thread(crowd.end)
    print(outcomes, [round(mb) for _, mb in used])
    # The day's worth is spent by now; the pace of the last third goes on to the end of the hour.
    began, end = used[len(used) * 2 // 3], used[-1]
    pace = (end[1] - began[1]) / (end[0] - began[0])
    rest_s = HOUR_S - (end[0] - used[0][0])
    figure("on the disk after an hour", end[1] + pace * max(rest_s, 0), limit=200, unit="MB")
    turns.record(figure)
    assert outcomes["message: too_fast"] > 0, "the limit was not reached"
    assert_no_failure(noom.log)


def disk_mb(folder: Path) -> float:
    """Return the MB of all stored and logged data, with the database's own files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
