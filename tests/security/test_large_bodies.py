"""S7: bodies that are far too large, at every address at once."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process

BODY_BYTES = 300_000_000
AT_ONCE = 20
PART = b"x" * 65_536
PATIENCE_S = 20 * PATIENCE
ADDRESSES = (
    *("/", "/rooms/team/", "/admin/login/", "/static/favicon.svg", "/favicon.ico", "/nowhere"),
    *("/healthz", "/readyz", "/metrics", "/ws/lobby/", "/ws/chat/team/", "/ws/call/team/"),
    "/http/lobby/",
)


@pytest.fixture
def noom(tmp_path: Path) -> Iterator[Process]:
    noom = Process(tmp_path)
    noom.start()
    yield noom
    noom.stop()


def send_body(port: int, path: str, chunked: bool) -> tuple[int, int]:
    """Send until the server stops reading.

    Return its status, and the bytes that it read.
    """
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {BODY_BYTES}"
    part = b"%x\r\n%b\r\n" % (len(PART), PART) if chunked else PART
    with socket.socket() as connection:
        # The server has not read the bytes in this machine's own buffers.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, len(PART))
        connection.settimeout(PATIENCE_S)
        connection.connect(("127.0.0.1", port))
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{length}\r\n\r\n"
        sent = 0
        with contextlib.suppress(ConnectionError):
            connection.sendall(head.encode())
            while sent < BODY_BYTES:
                connection.sendall(part)
                sent += len(part)
        with contextlib.suppress(ConnectionError):
            answer = connection.recv(100)
            return int(answer.split()[1] if answer else 0), sent
        return 0, sent


def resident(process: Process) -> int:
    """Return the bytes of memory that a process holds."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.mark.target("S7")
def test_bodies_of_300_mb_are_refused_before_they_are_read(noom, figure):
    for path in ADDRESSES:  # warms up: each part that is made once is made now
        send_body(noom.port, path, chunked=False)
    before = resident(noom)
    most, ended = before, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.is_set():
            most = max(most, resident(noom))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    answers = []
    with ThreadPoolExecutor(AT_ONCE) as clients:
        for path in ADDRESSES:
            for chunked in (False, True):
                tries = [
                    clients.submit(send_body, noom.port, path, chunked) for _ in range(AT_ONCE)
                ]
                answers += [(path, chunked, *one.result()) for one in tries]
    ended.set()
    watcher.join()
    read = max(sent for *_, sent in answers)
    # A client that goes on sending may lose the answer to the reset that follows it.
    admitted = [answer for answer in answers if answer[2] not in (413, 0)]
    refused = sum(answer[2] == 413 for answer in answers)
    print(admitted, refused, len(answers))
    figure("bodies that were not refused", len(admitted), limit=0)
    figure("read of a body at most", round(read / 1e6, 2), limit=5, unit="MB")
    figure("memory that it cost", round((most - before) / 1e6, 1), limit=30, unit="MB")
    assert refused > 0
