"""Two who have no way to each other read so, and the server's log has the reason."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import Noom, free_port
from tests.support.waiting import until


@pytest.fixture(scope="module")
def noom(start_noom: Callable[..., Noom]) -> Noom:
    """A server whose calls go over a relay that is not there."""
    relay = f"turn:127.0.0.1:{free_port()}?transport=tcp"
    return start_noom(TURN_URLS=relay, TURN_SECRET="s" * 40, ICE_RELAY_ONLY="true")


def test_call_without_a_network_path_shows_a_notice_and_is_logged(
    person: Callable[..., Page], noom: Noom
):
    pages = [person(name, "no-way", call=True) for name in ("Nova", "Mira")]
    for page in pages:
        notice = page.locator("#notice .notice-words")
        expect(notice).to_contain_text("No way was found", timeout=40_000 * PATIENCE)
        expect(page.locator("#peers .tile-state-words")).to_have_text("No way found")
    until(lambda: "no way between two callers: no_relay" in noom.log, "the line in the log")
    pages[0].click("#leave-call")
    expect(pages[1].locator("#notice")).to_be_hidden(timeout=10_000 * PATIENCE)
