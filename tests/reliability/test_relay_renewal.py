"""A call over the relay outlives the credentials with which it began."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from pytest_django import Settings

from call import ice_servers
from tests.support.browsers.home_networks import ReachableNoom, people_at, two_homes
from tests.support.browsers.media_checks import frames, shows_video
from tests.support.browsers.two_person_call import Figure, enter
from tests.support.clients.turn_client import turn_client
from tests.support.servers.coturn import Coturn
from tests.support.servers.network_namespaces import MISSING, Namespace

LEAST_TTL_S = 30  # the least value of the setting
CALL_S = (
    570.0  # a browser refreshes its allocation after nine minutes, and coturn gives no shorter one
)
WATCH_EVERY_S = 5
REFRESHED = re.compile(r"(?m)^(\S+): session \d+: refreshed, .* username=<(\d+):.*lifetime=[1-9]")
NONCE_S = 2
PEER = "1.1.1.1"

pytestmark = pytest.mark.target("D10")


@pytest.fixture
def home_networks() -> Iterator[list[Namespace]]:
    with two_homes() as both:
        yield both


async def test_allocation_outlives_its_credentials(
    tmp_path: Path, settings: Settings, figure: Figure
) -> None:
    # The nonce ends, too: the relay then asks for the credentials once more.
    relay = Coturn(tmp_path, "--relay-ip=127.0.0.1", f"--stale-nonce={NONCE_S}")
    relay.start()
    try:
        settings.TURN_URLS, settings.TURN_SECRET = [relay.url], relay.secret
        settings.TURN_TTL_S = 2
        server = ice_servers.servers("nova")[-1]
        at = relay.host, relay.port
        async with turn_client(at, server.username, server.credential) as client:
            assert await client.allocate() == 200
            await asyncio.sleep(settings.TURN_TTL_S + NONCE_S + 1)
            async with turn_client(at, server.username, server.credential) as late:
                assert await late.allocate() == 401, "the credentials are good still"
            answers = [await client.keep()]
            answers += [await client.permit(PEER), await client.bind(PEER)]
        figure("refreshes that were refused", sum(a != 200 for a in answers), limit=0)
    finally:
        relay.stop()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_relayed_call_outlives_its_credentials(
    home_networks: list[Namespace], browser: Browser, tmp_path: Path, figure: Figure
) -> None:
    gate = home_networks[0].gate
    own = [f"--relay-ip={gate}", f"--allowed-peer-ip={gate}"]
    relay = Coturn(tmp_path, *own, "--verbose", host=gate)
    settings = {"TURN_URLS": relay.url, "TURN_SECRET": relay.secret, "ICE_RELAY_ONLY": "1"}
    noom = ReachableNoom(tmp_path, gate, TURN_TTL_S=str(LEAST_TTL_S), **settings)
    with ExitStack() as closings:
        for part in (relay, noom):
            closings.callback(part.stop)
            part.start()
        pages = []
        for home, nickname in zip(home_networks, ("Nova", "Mira"), strict=True):
            people = people_at(home, noom.url, browser, folder=tmp_path, closings=closings)
            pages.append(enter(people, nickname, "relayed"))
        for page in pages:
            shows_video(page, 1, seconds=60)
        stood = stood_still(pages, seconds=CALL_S)
        figure("pictures that stood still for 5 s", stood, limit=0)
        assert late_refreshes(relay) >= len(pages), "no allocation was refreshed so late"


def late_refreshes(relay: Coturn) -> int:
    """Return how many allocations were refreshed after their credentials had ended."""
    found = REFRESHED.findall(relay.log)
    return sum(datetime.fromisoformat(at).timestamp() > int(end) for at, end in found)


def stood_still(pages: list[Page], *, seconds: float) -> int:
    """Return how often a page had no new decoded frame for a few seconds."""
    end, stood = time.monotonic() + seconds, 0
    seen = [frames(page) for page in pages]
    while time.monotonic() < end:
        pages[0].wait_for_timeout(WATCH_EVERY_S * 1000)
        now = [frames(page) for page in pages]
        stood += sum(after <= before for before, after in zip(seen, now, strict=True))
        seen = now
    return stood
