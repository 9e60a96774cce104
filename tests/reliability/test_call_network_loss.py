"""Calls survive a network that is silent, unplugged, or replaced by another address."""

import time
from contextlib import ExitStack

import pytest

from tests.support.browsers.home_networks import ReachableNoom, people_at
from tests.support.browsers.two_person_call import Call, Figure, wait_for_state
from tests.support.servers.network_namespaces import MISSING, Namespace
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.slow,
]

AWAY = {"reconnecting", "offline"}
NOTICED_AFTER_S = 20
BACK_WITHIN_S = 10
# A page notices a dead connection after 12 s of silence, and retries at most 10 s later.
BACK_LATE_WITHIN_S = 20


@pytest.fixture
def home():
    home = Namespace()
    try:
        home.open()
        yield home
    finally:
        home.close()


@pytest.fixture
def call(home, browser, tmp_path):
    """Nova at home, behind a link of her own, and Mira at this machine."""
    with ExitStack() as closings:
        noom = ReachableNoom(tmp_path, home.gate)
        closings.callback(noom.stop)
        noom.start()
        nova, mira = (
            people_at(where, noom.url, browser, folder=tmp_path, closings=closings)
            for where in (home, None)
        )
        yield Call(nova, mira, "network")


def back(call: Call, figure: Figure, what: str, limit: float = BACK_WITHIN_S) -> None:
    """Return the seconds from now until both see each other move."""
    start = time.monotonic()
    call.flows(seconds=60)
    figure(f"{what}: pictures back", time.monotonic() - start, limit=limit, unit="s")


@pytest.mark.target("C1")
def test_call_outlives_a_silent_network(home, call, figure: Figure):
    for away_s in (2, 10, 60):
        what = f"network silent for {away_s} s"
        with call.through(figure, what, states={*AWAY, "open"}):
            home.silence()
            start = time.monotonic()
            if away_s > NOTICED_AFTER_S:
                wait_for_state(call.nova, AWAY, seconds=NOTICED_AFTER_S)
            time.sleep(away_s - (time.monotonic() - start))
            home.speak()
            late = away_s > NOTICED_AFTER_S
            back(call, figure, what, BACK_LATE_WITHIN_S if late else BACK_WITHIN_S)


@pytest.mark.target("R10")
def test_call_outlives_a_pulled_cable(home, call, figure: Figure):
    with call.through(figure, "offline for 10 s", states={*AWAY, "open"}):
        home.pull()
        wait_for_state(call.nova, {"offline"})
        time.sleep(10)
        home.plug()
        back(call, figure, "offline for 10 s")


@pytest.mark.target("C1")
def test_call_outlives_a_change_of_address(home, call, figure: Figure):
    connections = [page.evaluate("connections.length") for page in call.pages]
    fragment = call.nova.evaluate(FRAGMENT)
    with call.through(figure, "another address", states={*AWAY, "open"}):
        home.move()
        back(call, figure, "another address", BACK_LATE_WITHIN_S)
        until(lambda: call.nova.evaluate(FRAGMENT) != fragment, "ICE to restart")
    assert [page.evaluate("connections.length") for page in call.pages] == connections


FRAGMENT = "connections.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]"
