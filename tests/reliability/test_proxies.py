"""D7.

Nginx, Apache, HAProxy and Caddy as documented, and each with its usual mistakes.
"""

import asyncio
import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser

from chat.protocol import close_codes
from tests.support.browsers.users import Users
from tests.support.clients.http_socket import HttpWire
from tests.support.clients.websocket import Wire, unverified
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.production import as_operated, gather_static_files
from tests.support.servers.reverse_proxies import KINDS, ProxyServer
from tests.support.servers.two_process_site import TwoProcessSite
from tests.support.waiting import until

CLIENT = "127.7.7.7"
SETTINGS = {"ALLOWED_HOSTS": "localhost", "TRUSTED_PROXIES": "1"}
SAYS_S = 10
ENTERED = "document.querySelectorAll('#people [data-participant]').length > 0"
SAYS = (
    "/does not recognise the address/.test("
    "document.querySelector('#notice:not([hidden])')?.innerText"
    " ?? document.querySelector('.plain-page')?.innerText ?? '')"
)
# For each mistake: the label of its counter, and the line of the log.
KNOWN = {
    "no upgrade": ("no_upgrade", "without its Upgrade header"),
    "no scheme": ("scheme", "set X-Forwarded-Proto to the scheme"),
    "no port": ("port", "pass Host on with its port"),
    "other host": ("host", "pass the browser's on"),
    "buffered": ("no_upgrade", "without its Upgrade header"),
    "no address": ("too_many_proxies", "X-Forwarded-For has fewer entries"),
}
WORKS = {"no upgrade", "buffered", "no address", "old http", "impatient"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoProcessSite]:
    """Two processes as in operation, for all proxies of this module."""
    environment = {**as_operated(), **SETTINGS}
    gather_static_files(environment)
    site = TwoProcessSite(tmp_path_factory.mktemp("site"), **environment)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def start_proxy(site: TwoProcessSite, tmp_path: Path) -> Iterator[Callable[..., ProxyServer]]:
    """Start a proxy before the two processes until the end.

    `start_proxy(name, mistake="")`.
    """
    started = []

    def start(name: str, mistake: str = "", ports: tuple[int, ...] = ()) -> ProxyServer:
        edits = KINDS[name].mistakes[mistake] if mistake else ()
        ports = ports or tuple(process.port for process in site.processes)
        proxy = ProxyServer(name, tmp_path, ports, edits)
        started.append(proxy)
        proxy.start()
        return proxy

    yield start
    for proxy in started:
        proxy.stop()


def get(proxy: ProxyServer, path: str, **headers: str) -> tuple[int, str]:
    """Return the status and the body of a page."""
    line = http.client.HTTPSConnection(
        "localhost", proxy.port, timeout=30 * PATIENCE, context=unverified(proxy.url)
    )
    try:
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        line.close()


def counted(site: TwoProcessSite, label: str) -> float:
    """Return how often the processes have counted a reason, by their metrics."""
    found = 0.0
    for process in site.processes:
        with urlopen(f"{process.url}/metrics", timeout=30 * PATIENCE) as answer:
            numbers = answer.read().decode()
        found += sum(float(n) for n in re.findall(rf'="{label}"}} ([\d.]+)\n', numbers))
    return found


# Apache writes this each time that it passes over a process that is away.
PASSED_OVER = ("AH00957", "AH00959", "AH01114")


async def is_used_again(proxy: ProxyServer, process: Process, key: str) -> None:
    """Return when the proxy has sent a client to this process.

    A proxy that checks the readiness of its processes does so some time after the start. An
    operator waits for it before the next restart.
    """
    async with asyncio.timeout(30 * PATIENCE):
        while f'"room": "{key}"' not in process.log:
            async with Wire(proxy.url, f"/ws/chat/{key}/") as visitor:
                await visitor.enter("Visitor")


def logs(site: TwoProcessSite) -> str:
    return "".join(process.log for process in site.processes)


@pytest.mark.target("D7")
@pytest.mark.parametrize("name", KINDS)
async def test_documented_proxy_carries_everything(site, start_proxy, figure, name):
    proxy = await asyncio.to_thread(start_proxy, name)
    status, page = await asyncio.to_thread(get, proxy, "/")
    (script,) = re.findall(r'<script[^>]* src="([^"]+)"', page)
    statuses = [status, (await asyncio.to_thread(get, proxy, script))[0]]
    figure("pages and scripts that fail", sum(s != 200 for s in statuses), limit=0)
    opened = [
        path
        for path, headers in (("/metrics", {}), ("/metrics", {"Host": "localhost"}))
        if (await asyncio.to_thread(get, proxy, path, **headers))[0] not in (403, 404)
    ]
    figure("ways to /metrics from outside", len(opened), limit=0)
    async with (
        Wire(proxy.url, f"/ws/chat/by-{name}/", address=CLIENT) as nova,
        HttpWire(proxy.url, f"/ws/chat/by-{name}/") as mira,
    ):
        await nova.enter("Nova")
        await mira.enter("Mira")
        await nova.post("by a WebSocket")
        assert (await mira.event("new_message"))["text"] == "by a WebSocket"
        await mira.post("by requests")
        await nova.event("new_message", text="by requests")
    assert f'"address": "{CLIENT}"' in logs(site), "the server does not see who came"


@pytest.mark.target("D7")
@pytest.mark.parametrize("name", KINDS)
async def test_rolling_restart_behind_a_proxy_fails_no_page(site, start_proxy, figure, name):
    proxy = await asyncio.to_thread(start_proxy, name)
    failed, over = [], threading.Event()

    def visit() -> None:
        while not over.is_set():
            status, _ = get(proxy, "/")
            if status != 200:
                failed.append(status)

    visiting = asyncio.create_task(asyncio.to_thread(visit))
    try:
        async with Wire(proxy.url, f"/ws/chat/restart-{name}/") as nova:
            await nova.enter("Nova")
            for number, process in enumerate(site.processes):
                await asyncio.to_thread(process.restart)
                await is_used_again(proxy, process, f"again-{name}-{number}")
            assert await nova.closing() == close_codes.RESTARTING
        async with Wire(proxy.url, f"/ws/chat/restart-{name}/") as nova:
            await nova.enter("Nova")
    finally:
        over.set()
        await visiting
    said = [
        line for line in proxy.log.splitlines() if not any(code in line for code in PASSED_OVER)
    ]
    assert not failed, "\n".join([f"{failed}", *said[-30:]])
    figure("pages that failed in a rolling restart", len(failed), limit=0)


@pytest.mark.target("D7")
@pytest.mark.parametrize(
    ("name", "mistake"), [(name, m) for name, kind in KINDS.items() for m in kind.mistakes]
)
def test_mistake_in_a_proxy_works_or_is_explained(
    site, start_proxy, browser: Browser, figure, name, mistake
):
    proxy = start_proxy(name, mistake)
    people = Users(browser, proxy.url)
    people.expected_errors += ["WebSocket connection", "Failed to load resource"]
    page = people.page("Nova", ignore_https_errors=True)
    label, line = KNOWN.get(mistake, ("", ""))
    before = counted(site, label)
    began = time.monotonic()
    page.goto("/rooms/mistake/?nickname=Nova", wait_until="domcontentloaded")
    found = until(
        lambda: (page.evaluate(ENTERED) and "works") or (page.evaluate(SAYS) and "says"),
        "the room, or what is wrong",
        seconds=30,
    )
    figure("until the page works or says why not", time.monotonic() - began, limit=SAYS_S, unit="s")
    assert found == ("works" if mistake in WORKS else "says")
    until(lambda: not label or counted(site, label) > before, "the counter", seconds=10)
    assert_no_failure(*(process.log for process in site.processes))
    assert line in logs(site)  # of this minute: another proxy may have had an equal mistake
    people.leave()


@pytest.mark.target("D7")
async def test_proxies_that_are_not_trusted_are_explained(start_process, start_proxy, figure):
    process = await asyncio.to_thread(
        start_process, **{**as_operated(), **SETTINGS, "TRUSTED_PROXIES": "0"}
    )
    proxy = await asyncio.to_thread(start_proxy, "nginx", ports=(process.port, process.port))
    with pytest.raises(Exception, match="403"):
        await Wire(proxy.url, "/ws/lobby/").__aenter__()
    figure("reasons in the log", int("set TRUSTED_PROXIES" not in process.log), limit=0)
