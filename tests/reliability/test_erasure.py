"""Erasure of a person from a room of 100,000 messages while other rooms go on."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import bystanders
from tests.support.clients.websocket import Wire
from tests.support.servers.dev_server import ROOT
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.message_rows import fill

MESSAGES, LONGEST_MS, MOST_MB = 100_000, 150, 20
PAUSE_S = 0.05


async def longest_wait(wire: Wire, until: "asyncio.Future[Any]") -> float:
    """Return the longest wait for a stored message while the block runs."""
    worst = 0.0
    while not until.done():
        began = time.monotonic()
        await wire.post("a word")
        worst = max(worst, time.monotonic() - began)
        await asyncio.sleep(PAUSE_S)
    return worst


@pytest.mark.target("D3")
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_erasing_a_person_blocks_no_other_client(
    start_process: Any, tmp_path: Path, figure: Any
) -> None:
    database = tmp_path / "long.sqlite3"
    noom = start_process(DATABASE_URL=f"sqlite:///{database}", MESSAGES_PER_S="100")
    async with (
        Wire(noom.url, "/ws/chat/long/") as reader,
        Wire(noom.url, "/ws/chat/beside/") as other,
    ):
        await reader.enter("Reader")
        await asyncio.to_thread(fill, database, "long", MESSAGES)
        await other.enter("Other")
        await other.post("a first word")
        before = bystanders.memory_mb(noom)
        command = ["erase_person", "--nickname", "Writer", "--room", "long", "--yes"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "manage.py", *command),
            cwd=ROOT,
            env=noom.environment,
            stderr=asyncio.subprocess.PIPE,
        )
        ending = asyncio.ensure_future(process.communicate())
        worst = await longest_wait(other, ending)
        _, output = await ending
        assert f"Erased {MESSAGES} messages." in output.decode()
        gained = bystanders.memory_mb(noom) - before
        # A page that lost the event learns from the numbers that no message is left.
        beat = await reader.event("beat")
        while beat["seq"] <= MESSAGES:
            beat = await reader.event("beat")
        answer = await reader.request("history", after=0)
        left = len(answer["messages"])
    figure("messages of the person that are left", left, limit=0)
    figure("others' longest wait during erasure", worst * 1000, limit=LONGEST_MS, unit="ms")
    figure("memory of the server during erasure", gained, limit=MOST_MB, unit="MB")
    assert_no_failure(noom.log)
