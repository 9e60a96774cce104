"""The fault tests of WebSockets, repeated for guests on the HTTP transport."""

import pytest

from tests.reliability.test_process_killed import killed_under_load, restarted_under_load
from tests.support.clients import swarm
from tests.support.clients.swarm import Swarm
from tests.support.clients.swarm_http import connecting

BOTH = pytest.mark.parametrize(
    "by_http",
    [
        pytest.param("stream", id="streams"),
        pytest.param("poll", id="polls", marks=pytest.mark.slow),
    ],
    indirect=True,
)


@pytest.fixture
def by_http(request, monkeypatch, figure):
    """Put the guests of a swarm on HTTP, each request at the next process.

    Their figures get names of their own.
    """
    monkeypatch.setattr(swarm._Line, "_connect", connecting(stream=request.param == "stream"))
    return lambda what, value, **limits: figure(f"{what}, over HTTP", value, **limits)


@BOTH
@pytest.mark.target("R1")
async def test_a_killed_process_costs_nobody_over_http_a_message_or_a_place(by_http, site):
    async with Swarm(site.url) as guests:
        await killed_under_load(site, guests, 10, by_http, back_s=3)


@BOTH
@pytest.mark.target("R3")
async def test_processes_are_restarted_and_nobody_over_http_misses_anything(by_http, site):
    async with Swarm(site.url) as guests:
        await restarted_under_load(site, guests, by_http)
