"""A server whose heartbeats are far apart, as its settings allow."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from call.bot.participant import Participant
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process

# Two heartbeats: who expected one each 5 s would give up 12 s after the first.
QUIET_S = 26


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path, HEARTBEAT_INTERVAL_S="13", PRESENCE_LEASE_S="30")
    process.start()
    yield process
    process.stop()


def entries(process: Process) -> list[str]:
    """How many have come into a room and into a call, and how many came back."""
    with urlopen(f"{process.url}/metrics", timeout=10 * PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return [line for line in lines if line.startswith(("noom_joins_total", "noom_resumes"))]


async def test_participant_keeps_its_connections_in_a_quiet_room(process: Process):
    async with Participant(process.url, "room", "Nova"):
        before = await asyncio.to_thread(entries, process)
        await asyncio.sleep(QUIET_S)
        assert await asyncio.to_thread(entries, process) == before
        assert len(before) == 3
