"""A page and a server of different versions.

One prompt to reload, and then no more.
"""

import re

import pytest
from playwright.sync_api import APIResponse, Route

from chat.protocol.codec import VERSION
from tests.support.browsers.two_person_call import Figure
from tests.support.waiting import until

WORDS = "Reload it to continue"
LISTENED_S = 12  # longer than the longest wait before a page reconnects


def aged(script: APIResponse, age: int) -> str:
    """Return a script of the page as another version has it."""
    return re.sub(r"(PROTOCOL_VERSION ?= ?)\d+", rf"\g<1>{VERSION + age}", script.text())


@pytest.mark.target("R21")
@pytest.mark.parametrize("age", [-1, +1], ids=["old-page", "old-server"])
def test_page_of_another_version_asks_to_be_reloaded(people, figure: Figure, age: int):
    what = "old page, new server" if age < 0 else "new page, old server"
    page = people.page("Nova")

    def alter(route: Route) -> None:
        # No cache keeps it, so that a reload brings the server's own.
        headers = {"Content-Type": "text/javascript", "Cache-Control": "no-store"}
        route.fulfill(headers=headers, body=aged(route.fetch(), age))

    page.route("**/*.js", alter)
    opened: list[str] = []
    loaded: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    page.on("load", lambda _: loaded.append(page.url))
    page.goto("/rooms/old/?nickname=Nova", wait_until="domcontentloaded")
    # Click it as soon as it appears; the page may be gone by then.
    page.evaluate("document.getElementById('join-call').click()")
    until(lambda: WORDS in page.inner_text("#fatal"), "the words", seconds=15)
    assert all(re.search(rf"\?v={VERSION + age}$", url) for url in opened)
    before = len(opened), len(loaded)
    page.wait_for_timeout(LISTENED_S * 1_000)
    figure(f"{what}: lines opened before it asks", before[0], limit=2)
    figure(f"{what}: lines opened afterwards", len(opened) - before[0], limit=0)
    figure(f"{what}: reloads by itself", max(len(loaded) - 1, 0), limit=0)
    page.unroute_all()
    page.click("#fatal-reload")
    until(lambda: page.locator("#people [data-participant]").count() == 1, "the room")
