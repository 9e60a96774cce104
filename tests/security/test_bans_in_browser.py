"""Removal from a room and its call by an admin, as two browsers show it."""

import time

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.test_call import LIVING, RECORD_CONNECTIONS
from tests.support.browsers.media_checks import shows_video
from tests.support.browsers.users import Users, join_call
from tests.support.waiting import until

REMOVED = "You were removed from this room"


def caller(people: Users, nickname: str):
    """Return a page in the call of the room, with its peer connections recorded."""
    page = people.page(nickname)
    page.add_init_script(RECORD_CONNECTIONS)
    page.goto(f"/rooms/room/?nickname={nickname}", wait_until="domcontentloaded")
    return join_call(page)


def heading(context: BrowserContext, address: str) -> str:
    """Return the heading of a fresh page of this browser at an address."""
    page = context.new_page()
    page.goto(address, wait_until="domcontentloaded")
    return page.inner_text("main h1")


@pytest.mark.target("S22")
def test_removed_participant_leaves_and_cannot_return(cluster, admin, browser: Browser, figure):
    here, there = (Users(browser, process.url) for process in cluster)
    # an expected message; she tries the other process, too
    there.expected_errors = ["403", here.url]
    nova, mira = caller(here, "Nova"), caller(there, "Mira")
    for page in (nova, mira):
        shows_video(page, 1)
    mira_id = nova.get_attribute("#peers [data-participant]", "data-participant")
    began = time.monotonic()
    admin.post(f"/admin/chat/room/1/remove/{mira_id}/")
    until(lambda: nova.locator("#peers [data-participant]").count() == 0, "the tile's end")
    until(lambda: nova.evaluate(f"{LIVING}.length") == 0, "the connection's end")
    until(lambda: nova.inner_text("#room-title") == "room (1)", "the roster without her")
    figure("tile, connection and name gone", time.monotonic() - began, limit=1, unit="s")
    until(lambda: mira.locator("#fatal").is_visible(), "the word to her")
    assert mira.inner_text("#fatal h1") == REMOVED
    mira.reload(wait_until="domcontentloaded")
    assert mira.inner_text("main h1") == REMOVED
    back = [
        f"{process.url}/rooms/room/?nickname={name}"
        for process in cluster
        for name in ("Mira", "Nobody")
    ]
    open_again = [a for a in back if heading(mira.context, a) != REMOVED]
    figure("ways back by the cookie", len(open_again), limit=0)
    assert nova.inner_text("#room-title") == "room (1)"
    here.leave()
    there.leave()
