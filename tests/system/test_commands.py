"""The commands that start Noom do start it, and what they start can be ended and started again."""

import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import ROOT, Noom, free_port, listens
from tests.support.waiting import until


def rooms(noom: Noom) -> list[object]:
    """The first event of the lobby's socket: it takes a page, a socket and a database to say it."""
    with connect(f"{noom.url.replace('http', 'ws')}/ws/lobby/", origin=Origin(noom.url)) as lobby:
        event = json.loads(lobby.recv(timeout=10 * PATIENCE))
    assert event["type"] == "room_change"
    return list(event["payload"]["rooms"])


def test_server_restarts_after_a_stop_and_after_a_kill(start_noom: Callable[..., Noom]):
    noom = start_noom()
    noom.restart()
    assert rooms(noom) == []
    noom.kill()
    noom.start()
    assert rooms(noom) == []


def test_settings_come_from_the_environment(start_noom: Callable[..., Noom]):
    noom = start_noom(ALLOWED_HOSTS="elsewhere.example")
    with pytest.raises(OSError, match="400"):
        urlopen(noom.url)


@pytest.fixture
def https_port(noom: Noom, tmp_path: Path) -> Iterator[int]:
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_https", "--port", str(port)],
            cwd=ROOT,
            env=noom.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: b"open https://" in (tmp_path / "log").read_bytes(), "run_https", seconds=30)
        yield port
    finally:
        process.terminate()
        process.wait(15 * PATIENCE)


def test_run_https_serves_pages_files_and_sockets(https_port: int):
    trusting = ssl.create_default_context(cafile=ROOT / "var" / "https.pem")
    address = f"localhost:{https_port}"
    with urlopen(f"https://{address}/", context=trusting) as page:
        assert b"welcome" in page.read()
    with urlopen(f"https://{address}/static/js/transport/socket.js", context=trusting) as script:
        assert script.headers["Content-Type"].startswith("text/javascript")
    lobby = f"wss://{address}/ws/lobby/"
    with connect(lobby, ssl=trusting, origin=Origin(f"https://{address}")) as line:
        assert json.loads(line.recv(timeout=10 * PATIENCE))["type"] == "room_change"


def test_run_https_shows_the_network_no_page_of_an_error(https_port: int):
    line = HTTPSConnection(
        "localhost", https_port, context=ssl.create_default_context(cafile=ROOT / "var/https.pem")
    )
    line.request("GET", "/", headers={"Host": "wrong.example"})
    answer = line.getresponse()
    page = answer.read().decode()
    line.close()
    assert answer.status == 400
    assert "DATABASE_URL" not in page
    assert "Traceback" not in page


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["-b", "0.0.0.0"], {}),  # noqa: S104 - what is refused
        ([], {"TRUSTED_PROXIES": "1"}),
        ([], {"REDIS_URL": "redis://:hunter2hunter2@127.0.0.1:1"}),
    ],
)
def test_serve_with_debug_binds_to_this_machine_only(tmp_path: Path, arguments, environment):
    process = Process(tmp_path, **environment)
    answer = subprocess.run(
        [sys.executable, "manage.py", "serve", "-p", str(process.port), *arguments],
        cwd=ROOT,
        env=process.environment,
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
    )
    assert answer.returncode == 1
    assert "DEBUG is on, and" in answer.stderr
    assert "hunter2" not in answer.stderr


def test_server_reports_an_address_in_use(noom: Noom):
    answer = subprocess.run(
        [sys.executable, "manage.py", "serve", "-p", str(noom.port)],
        cwd=ROOT,
        env=noom.environment,
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
    )
    assert answer.returncode == 1
    assert "Cannot listen at" in answer.stderr
    assert "in use" in answer.stderr


def test_systemd_is_notified_once_the_server_listens(tmp_path: Path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(30 * PATIENCE)
        noom = Process(tmp_path, NOTIFY_SOCKET=path)
        noom.start()
        try:
            assert systemd.recv(100) == b"READY=1"
        finally:
            noom.stop()


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of an echo behind Noom's server."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.conformance.echo_server", str(port)], cwd=ROOT
    )
    try:
        until(lambda: listens(port), "the echo", seconds=30)
        yield f"ws://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(15 * PATIENCE)


@pytest.mark.parametrize("message", ["", b"", "한국어", b"\x00\xff"])
def test_every_message_is_delivered_even_an_empty_one(echo: str, message: str | bytes):
    with connect(echo) as line:
        line.send(message)
        assert line.recv(timeout=5 * PATIENCE) == message
