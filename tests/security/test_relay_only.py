"""A call over the relay alone delivers no address but the relay's."""

import ipaddress
import json
import re
from contextlib import ExitStack
from functools import partial

import pytest

from tests.support.browsers.home_networks import ReachableNoom, people_at, two_homes
from tests.support.browsers.media_checks import shows_video
from tests.support.browsers.two_person_call import Figure, enter
from tests.support.servers.coturn import Coturn
from tests.support.servers.network_namespaces import MISSING

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.target("S17"),
    pytest.mark.slow,
]

CANDIDATE = re.compile(r"candidate:\S+ .*? typ (\w+)")
IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
LOCAL_NAME = re.compile(r"[0-9a-f-]{36}\.local")


@pytest.fixture
def home_networks():
    """Two namespaces that may send anywhere, which shows whether they do."""
    with two_homes() as both:
        for home in both:
            home.tempt()
        yield both


@pytest.fixture
def relay(home_networks, tmp_path):
    gate = home_networks[0].gate
    relay = Coturn(tmp_path, f"--relay-ip={gate}", f"--allowed-peer-ip={gate}", host=gate)
    relay.start()
    yield relay
    relay.stop()


def test_relay_only_call_reveals_no_other_address(
    home_networks, relay, browser, tmp_path, figure: Figure
):
    with ExitStack() as closings:
        noom = ReachableNoom(
            tmp_path,
            relay.host,
            TURN_URLS=relay.url,
            TURN_SECRET=relay.secret,
            ICE_RELAY_ONLY="1",
        )
        closings.callback(noom.stop)
        noom.start()
        delivered: list[str] = []
        pages = []
        for home, nickname in zip(home_networks, ("Nova", "Mira"), strict=True):
            people = people_at(home, noom.url, browser, folder=tmp_path, closings=closings)
            pages.append(enter(people, nickname, "relayed", opened=partial(listen, delivered)))
        for page in pages:
            shows_video(page, 1, seconds=60)
        judge(delivered, relay.host, figure)
        strays = {address for home in home_networks for address in home.strays()}
        print(strays)
        figure("third parties that received anything", len(strays), limit=0)


def listen(delivered: list[str], page) -> None:
    def line(socket) -> None:
        socket.on("framereceived", lambda frame: delivered.append(str(frame)))

    page.on("websocket", line)


def judge(delivered: list[str], relay: str, figure: Figure) -> None:
    text = "\n".join(json.dumps(json.loads(frame)) for frame in delivered)
    kinds = CANDIDATE.findall(text)
    assert kinds.count("relay") >= 2, f"no relayed candidate was seen: {kinds}"
    figure("other candidates in frames", len(kinds) - kinds.count("relay"), limit=0)
    addresses = {found for found in IPV4.findall(text) if is_address(found)} - {relay}
    private = [found for found in addresses if not ipaddress.ip_address(found).is_unspecified]
    figure("addresses of participants in frames", len(private), limit=0)
    figure("local names in frames", len(LOCAL_NAME.findall(text)), limit=0)


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
