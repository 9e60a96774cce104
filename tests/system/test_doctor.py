"""`manage.py doctor`: right set-ups pass, and each wrong one is named with what to do."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from noom_project.doctor import inside, outside, relay
from noom_project.doctor.findings import Check, Finding, text
from noom_project.doctor.web import Site
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process
from tests.support.servers.coturn import Coturn
from tests.support.servers.dev_server import ROOT, free_port
from tests.support.servers.production import as_operated, gather_static_files
from tests.support.servers.redis import Redis
from tests.support.servers.reverse_proxies import KINDS, ProxyServer

SETTINGS = {"ALLOWED_HOSTS": "localhost", "TRUSTED_PROXIES": "1"}
OUTSIDE = ["page", "script", "websocket", "patience", "fallback", "origin", "metrics", "clock"]

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One process as an operator runs it, with a Redis."""
    folder = tmp_path_factory.mktemp("noom")
    redis = Redis(folder)
    redis.start()
    environment = {**as_operated(), **SETTINGS, "REDIS_URL": redis.url}
    gather_static_files(environment)
    process = Process(folder, **environment)
    process.start()
    yield process
    process.stop()
    redis.stop()


@pytest.fixture
def start_nginx(process: Process, tmp_path: Path) -> Iterator[Callable[..., ProxyServer]]:
    """`start_nginx(mistake="", port=…)`: nginx before the process, until the end."""
    started = []

    def start(mistake: str = "", port: int = 0) -> ProxyServer:
        edits = KINDS["nginx"].mistakes[mistake] if mistake else ()
        proxy = ProxyServer("nginx", tmp_path, [port or process.port] * 2, edits)
        started.append(proxy)
        proxy.start()
        return proxy

    yield start
    for proxy in started:
        proxy.stop()


async def examined(checks: list[Check]) -> dict[str, Finding]:
    """The findings, by what they are about."""
    found = [await check() for check in checks]
    for finding in found:
        assert (finding.state == "wrong") == bool(finding.advice), finding
        assert text(finding)
    return {finding.what: finding for finding in found}


async def seen_from_outside(proxy: ProxyServer) -> dict[str, Finding]:
    return await examined(outside.all_checks(Site(proxy.url, str(proxy.authority))))


def wrong(found: dict[str, Finding]) -> set[str]:
    return {what for what, finding in found.items() if finding.state == "wrong"}


def run_doctor(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60 * PATIENCE,
    )
    return done.returncode, done.stdout


def test_right_set_up_passes_with_code_0(process, start_nginx, tmp_path):
    proxy = start_nginx()
    folder = tmp_path / "relay"
    folder.mkdir()
    coturn = Coturn(folder)
    coturn.start()
    try:
        turn = {"TURN_URLS": f"{coturn.url},{coturn.url}?transport=tcp"}
        environment = {**process.environment, **turn, "TURN_SECRET": coturn.secret}
        # `check --deploy` wants it of a site on the internet.
        environment |= {"SECURE_SSL_REDIRECT": "1", "SECURE_HSTS_SECONDS": "3600"}
        environment |= {"SECRET_KEY": "abcde-12345-" * 5}
        code, output = run_doctor(environment, proxy.url, "--ca", str(proxy.authority))
    finally:
        coturn.stop()
    assert code == 0, output
    subjects = re.findall(r"^ok      ([\w ]+):", output, re.MULTILINE)
    inner = ["settings", "static files", "database", "redis", "channel layer", "clock"]
    assert subjects == [*inner, "relay", "relay", *OUTSIDE]


def test_failed_inner_check_exits_with_1_and_no_traceback(process, tmp_path):
    port = free_port()
    environment = {
        **process.environment,
        "DATABASE_URL": f"postgres://noom:hunter2@127.0.0.1:{port}/noom",
        "REDIS_URL": f"redis://:hunter2@127.0.0.1:{port}",
        "SECURE_SSL_REDIRECT": "1",
        "TRUSTED_PROXIES": "0",
    }
    code, output = run_doctor(environment)
    assert code == 1
    assert "noom.E030" in output
    for subject in ("settings", "database", "redis", "channel layer"):
        assert f"WRONG   {subject}:" in output
    assert "Traceback" not in output
    assert "hunter2" not in output


async def test_right_proxy_has_nothing_wrong(start_nginx):
    found = await seen_from_outside(await asyncio.to_thread(start_nginx))
    assert list(found) == OUTSIDE
    assert {finding.state for finding in found.values()} == {"ok"}, found


@pytest.mark.parametrize(
    ("mistake", "subjects", "advice"),
    [
        ("no upgrade", {"websocket"}, "Upgrade"),
        ("impatient", {"patience"}, "time-outs"),
        ("no scheme", {"websocket", "fallback"}, "X-Forwarded-Proto"),
        ("no port", {"websocket", "fallback"}, "$http_host"),
        ("other host", {"page", "websocket", "fallback"}, "ALLOWED_HOSTS"),
        ("buffered", {"websocket", "fallback"}, "X-Accel-Buffering"),
    ],
)
async def test_each_mistake_of_a_proxy_is_named(start_nginx, mistake, subjects, advice):
    found = await seen_from_outside(await asyncio.to_thread(start_nginx, mistake))
    assert wrong(found) == subjects, found
    assert any(advice in finding.advice for finding in found.values())


async def test_proxy_without_processes_is_named(start_nginx):
    found = await seen_from_outside(await asyncio.to_thread(start_nginx, port=free_port()))
    assert "manage.py serve" in found["page"].advice
    assert {"page", "websocket", "fallback"} <= wrong(found)


async def test_untrusted_certificate_is_reported(start_nginx):
    proxy = await asyncio.to_thread(start_nginx)
    found = await examined(outside.all_checks(Site(proxy.url)))
    assert wrong(found) == {"page"}
    assert "certificate" in found["page"].why
    assert "--ca" in found["page"].advice


async def test_relay_with_another_secret_is_named(settings, tmp_path):
    coturn = Coturn(tmp_path)
    await asyncio.to_thread(coturn.start)
    try:
        settings.TURN_URLS, settings.TURN_SECRET = [coturn.url], "another"
        (found,) = (await examined(relay.all_checks())).values()
        assert "TURN_SECRET" in found.advice
    finally:
        await asyncio.to_thread(coturn.stop)


async def test_unreachable_relay_is_reported(settings):
    settings.TURN_URLS = [f"turn:127.0.0.1:{free_port()}?transport=tcp"]
    settings.TURN_SECRET = "secret"
    (found,) = (await examined(relay.all_checks())).values()
    assert "coturn" in found.advice


async def test_missing_static_files_are_named(settings, tmp_path):
    settings.DEBUG, settings.STATIC_ROOT = False, tmp_path
    assert "collectstatic" in (await inside.static_files()).advice
    (tmp_path / "staticfiles.json").write_text('{"paths": {"js/pages/room.joined.js": "gone.js"}}')
    assert "gone.js" in (await inside.static_files()).told


def test_clocks_that_differ_are_named():
    found = inside.compared({"PostgreSQL": 3_600.0, "Redis at a:1": 0.5})
    assert (found.state, "PostgreSQL is +3600 s" in found.told) == ("wrong", True)
    assert inside.compared({"Redis at a:1": 0.5}).state == "ok"


def test_database_without_migrations_is_reported(process, tmp_path):
    environment = {**process.environment, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    code, output = run_doctor(environment)
    assert code == 1
    assert "manage.py migrate" in output
