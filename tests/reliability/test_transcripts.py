"""Answers longer than a connection holds.

Whole for each reader, in bounded memory.
"""

import asyncio
import json
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest

from tests.support.clients import bystanders
from tests.support.clients.admin_client import Admin
from tests.support.clients.websocket import Wire
from tests.support.figures.targets import FIGURES
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.postgres import Postgres
from tests.support.waiting import until

# A server holds some 2 MB of an answer; the full length is for the figures.
MESSAGES, TEXT = 100_000 if FIGURES else 30_000, "What was said here, over and over again. " * 2
MOST_MB, LONGEST_MS = 20, 150
NEVER_READ = 3
ASK_EVERY_S = 0.2

pytestmark = pytest.mark.target("D3")


def fill(url: str, room: int) -> None:
    """Insert so many messages into a room, as if people had written them."""
    with psycopg.connect(url) as database:
        with database.cursor().copy(
            "COPY chat_message (room_id, seq, participant, nickname, text, sent_at, client_id)"
            " FROM STDIN"
        ) as copy:
            for seq in range(1, MESSAGES + 1):
                text = f"{seq} {TEXT}"
                copy.write_row(
                    (room, seq, "nova", "Nova", text, "2026-01-02T03:04:05Z", uuid.uuid4())
                )
        database.execute("UPDATE chat_room SET last_seq = %s WHERE id = %s", (MESSAGES, room))


def ask(noom: Process, admin: Admin) -> HTTPConnection:
    """Ask for a transcript, and read nothing of it."""
    line = HTTPConnection("127.0.0.1", noom.port, timeout=60 * PATIENCE)
    line.connect()
    line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    path = f"/admin/chat/room/{room_of(noom)}/transcript.txt"
    line.request("GET", path, headers={"Cookie": admin.cookie})
    return line


def room_of(noom: Process) -> int:
    with psycopg.connect(noom.environment["DATABASE_URL"]) as database:
        found = database.execute("SELECT id FROM chat_room WHERE key = 'long'").fetchone()
    assert found
    return int(found[0])


# A process of its own, so that the cost of the reader does not count as a wait of others.
READ = """
import sys, time, urllib.request
address, cookie, path, pause_s = sys.argv[1:]
with urllib.request.urlopen(urllib.request.Request(address, headers={"Cookie": cookie})) as answer:
    with open(path, "wb") as file:
        while part := answer.read(256 * 1024):
            file.write(part)
            time.sleep(float(pause_s))
"""


async def read(address: str, admin: Admin, path: Path, *, pause_s: float = 0.0) -> None:
    """Read the whole transcript, with a pause after each part.

    The path names the kind.
    """
    arguments = ["-c", READ, address + path.suffix, admin.cookie, str(path), str(pause_s)]
    reader = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    assert await reader.wait() == 0


async def longest_wait(wire: Wire, on: Callable[[], bool]) -> float:
    """Return the longest wait of somebody in another room, in seconds."""
    longest = 0.0
    while on():
        began = time.monotonic()
        await wire.request("people")
        longest = max(longest, time.monotonic() - began)
        await asyncio.sleep(ASK_EVERY_S)
    return longest


@pytest.fixture
def noom(tmp_path, postgres: Postgres) -> Iterator[Process]:
    # Text in this position is older than the part that a server buffers.
    process = Process(tmp_path, DATABASE_URL=postgres.url, RETENTION_DAYS="36500")
    process.start()
    yield process
    process.stop()


async def test_long_transcript_is_complete_with_bounded_memory(noom, tmp_path, figure):
    async with Wire(noom.url, "/ws/chat/long/") as nova, Wire(noom.url, "/ws/chat/b/") as mira:
        await nova.enter("Nova")
        await mira.enter("Mira")
        await asyncio.to_thread(fill, noom.environment["DATABASE_URL"], room_of(noom))
        admin = await asyncio.to_thread(Admin, noom)
        address = f"{noom.url}/admin/chat/room/{room_of(noom)}/transcript"
        deaf = [ask(noom, admin) for _ in range(NEVER_READ)]
        before, worst = bystanders.memory_mb(noom), 0.0
        quick = asyncio.create_task(read(address, admin, tmp_path / "quick.txt"))
        slow = asyncio.create_task(read(address, admin, tmp_path / "slow.json", pause_s=0.1))

        def going_on() -> bool:
            nonlocal worst
            worst = max(worst, bystanders.memory_mb(noom) - before)
            return not (quick.done() and slow.done())

        waited_s = await longest_wait(mira, going_on)
        await asyncio.gather(quick, slow)
        lines = (tmp_path / "quick.txt").read_text().splitlines()
        assert len(lines) == MESSAGES
        assert lines[-1] == f"[2026-01-02T03:04:05+00:00] Nova: {MESSAGES} {TEXT}"
        said = json.loads((tmp_path / "slow.json").read_text())
        assert [message["seq"] for message in said["messages"]] == [*range(1, MESSAGES + 1)]
        figure("transcript: memory", worst, limit=MOST_MB, unit="MB")
        figure("transcript: longest wait of others", waited_s * 1000, limit=LONGEST_MS, unit="ms")
        # The server cuts off a reader that does not read at all, and no other.
        cut = "noom_readers_cut_off_total"
        await asyncio.to_thread(
            until, lambda: f"{cut} {NEVER_READ}.0" in metrics(noom), "the deaf cut off", seconds=60
        )
        assert noom.log.count("A reader was cut off") == NEVER_READ
        for line in deaf:
            line.close()
    assert_no_failure(noom.log)


def metrics(noom: Process) -> str:
    with closing(HTTPConnection("127.0.0.1", noom.port, timeout=10 * PATIENCE)) as line:
        line.request("GET", "/metrics")
        return line.getresponse().read().decode()
