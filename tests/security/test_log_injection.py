"""S15: the log is one JSON object a line, whatever clients send.

It contains no text or secret of theirs.
"""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from chat import tokens
from chat.names import keys
from noom_project.monitoring.log_formatters import JsonFormatter, TextFormatter
from tests.support.clients import raw_http
from tests.support.clients.protocol_client import Refusal
from tests.support.clients.websocket import Wire
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import Noom
from tests.support.servers.postgres import Postgres
from tests.support.waiting import until

CONTROLS = ("\r", "\n", "\r\n", "\x1b[31m", "\x00", "\u2028", "\u2029", "\x85", "\x9b", "\x7f")
NASTY = 'x{}{{"level": "ERROR", "message": "forged"}}'
SAID = "what was said in confidence"
# characters; the database refuses longer texts, and its error contains the whole row
MAX_STORED = 100

pytestmark = pytest.mark.slow


@pytest.fixture(params=["serve", "runserver"])
def noom(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Noom]:
    """A server of either kind, with a log for machines; runserver logs every request."""
    kind = Process if request.param == "serve" else Noom
    noom = kind(tmp_path, DATABASE_URL=postgres.url, LOG_FORMAT="json", LOG_LEVEL="DEBUG")
    noom.start()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("ALTER TABLE chat_message DROP CONSTRAINT IF EXISTS short")
        check = f"CHECK (length(text) < {MAX_STORED})"
        connection.execute(f"ALTER TABLE chat_message ADD CONSTRAINT short {check}")
    yield noom
    noom.stop()


@pytest.mark.target("S15")
async def test_client_cannot_forge_a_log_line_or_log_a_secret(noom, figure):
    # Earlier lines are output of the commands, for the operator who typed them.
    before = len(noom.log.encode())
    secrets = [SAID]
    for control in CONTROLS:
        ask_for_pages(noom.port, NASTY.format(control))
        await speak(noom, NASTY.format(control), secrets)
    reference = await fail(noom, secrets)
    until(lambda: reference in noom.log, "the failure in the log")
    lines = noom._log.read_bytes()[before:].split(b"\n")[:-1]
    figure("lines that are no JSON object", sum(not is_object(line) for line in lines), limit=0)
    controls = [byte for line in lines for byte in line if byte < 0x20 or byte > 0x7E]
    figure("control bytes", len(controls), limit=0)
    text = b"\n".join(lines).decode()
    leaked = [secret for secret in secrets if secret in text]
    figure("tokens, addresses and texts in the log", len(leaked), limit=0)
    records = [json.loads(line) for line in lines]
    forged = [line for line in records if line["message"] == "forged"]
    figure("forged lines", len(forged), limit=0)
    errors = [line for line in records if line.get("reference") == reference and "error" in line]
    figure("tracebacks of one failure beyond the first", len(errors) - 1, limit=0)
    assert len(lines) > 20 * len(CONTROLS) / 2


@pytest.mark.target("S15")
@pytest.mark.parametrize("flood", ["a" * 100_000, "a:" * 50_000, "~" * 100_000, "a.-" * 33_000])
@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_flood_of_text_gives_short_log_lines(figure, formatter, flood):
    made = logging.LogRecord("noom", logging.INFO, "file", 1, flood, (), None)
    began = time.thread_time()
    formatter.format(made)
    took_ms = (time.thread_time() - began) * 1000
    figure("time that a line of 100,000 characters takes", took_ms, limit=50, unit="ms")


def is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def ask_for_pages(port: int, hostile: str) -> None:
    """Send hostile paths, names and headers, as far as a client can send each."""
    quoted = quote(hostile, safe="")
    for path in (
        f"/{quoted}",
        f"/rooms/{quoted}/",
        f"/rooms/team/?nickname={quoted}&name={quoted}",
    ):
        raw_http.ask(port, path, method="GET")
        raw_http.ask(port, path, method="POST", body=hostile.encode())
        raw_http.shake_hands(port, f"/ws{path}")
        raw_http.shake_hands(port, f"/ws/chat/{quoted}/", Origin="http://elsewhere/" + quoted)
    head = hostile.encode("utf-8", "replace")
    for name in (b"Host", b"User-Agent", b"Referer", b"X-Forwarded-For", b"Cookie", b"Accept"):
        data = b"GET /nothing.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%b: %b\r\n\r\n"
        send(port, data % (name, head))
    send(port, b"GET /" + head + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    send(port, head + b" / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")


def send(port: int, data: bytes) -> None:
    """Send bytes that may not even be an HTTP request."""
    try:
        raw_http.send(port, data)
    except (OSError, ValueError, IndexError):
        return  # no answer is an answer, too


async def speak(noom: Noom, hostile: str, secrets: list[str]) -> None:
    """Send hostile frames on the sockets, with tokens and a text that the log may not contain."""
    key = keys.unlisted_key("team")
    secrets.append(key.partition("~")[2])
    raw_http.ask(noom.port, f"/rooms/{quote(key)}/", method="POST", body=b"x")
    async with Wire(noom.url, f"/ws/chat/{key}/") as nova:
        secrets.append(nova.token)
        await nova.enter(hostile)
        await nova.post(f"{SAID} {hostile}")
    for kind, payload in (
        (hostile, {}),
        ("new_message", {"text": SAID, "client_id": hostile}),
        ("new_message", {hostile: SAID}),
        ("nickname", {"nickname": hostile, "text": SAID}),
        ("enter_room", {"token": hostile, "nickname": hostile}),
    ):
        for path in (f"/ws/chat/{key}/", f"/ws/call/{key}/"):
            async with Wire(noom.url, path) as broken:
                secrets.append(broken.token)
                if kind != "enter_room" and path.startswith("/ws/chat"):
                    await broken.enter("Broken")
                await broken.send(kind, **payload)
                await broken.closing()
    origin = Origin(noom.url)
    async with connect(f"{noom.url.replace('http', 'ws')}/ws/lobby/", origin=origin) as lobby:
        await lobby.send(hostile)
        await lobby.close(4000, hostile[:40])


async def fail(noom: Noom, secrets: list[str]) -> str:
    """Make the database refuse a message.

    Return the reference that its writer receives.
    """
    text = f"{SAID}, at length: " + "x" * MAX_STORED
    secrets.append(text)
    async with Wire(noom.url, "/ws/chat/team/") as nova:
        await nova.enter("Nova")
        with pytest.raises(Refusal, match="server_error") as refusal:
            await nova.post(text)
        # The server lives on, and so does its log.
        await nova.post("short")
        reference = tokens.verify(nova.token, key="team").participant
    assert f"reference {reference}" in str(refusal.value)
    return reference
