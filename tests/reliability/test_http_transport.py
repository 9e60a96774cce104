"""The fault tests of WebSockets, repeated for guests on the HTTP transport."""

import pytest

from tests.reliability.test_process_killed import killed_under_load, restarted_under_load
from tests.support.clients import swarm
from tests.support.clients.swarm import Swarm
from tests.support.clients.swarm_http import connecting

BOTH = pytest.mark.parametrize(
    "http_figure",
    [
        pytest.param("stream", id="streams"),
        pytest.param("poll", id="polls", marks=pytest.mark.slow),
    ],
    indirect=True,
)


@pytest.fixture
def http_figure(request, monkeypatch, figure):
    """Put the guests of a swarm on HTTP, each request at the next process.

    Their figures get names of their own.
    """
    monkeypatch.setattr(swarm._Line, "_connect", connecting(stream=request.param == "stream"))
    return lambda what, value, **limits: figure(f"{what}, over HTTP", value, **limits)


@BOTH
@pytest.mark.target("R1")
async def test_killed_process_costs_no_http_client_a_message_or_place(http_figure, site):
    async with Swarm(site.url) as guests:
        await killed_under_load(site, guests, 10, http_figure, back_s=3)


@BOTH
@pytest.mark.target("R3")
async def test_rolling_restart_costs_http_clients_no_message(http_figure, site):
    async with Swarm(site.url) as guests:
        await restarted_under_load(site, guests, http_figure)
