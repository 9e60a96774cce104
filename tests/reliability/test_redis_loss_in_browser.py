"""Loss of Redis while two people at two processes are in a call."""

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsers.media_checks import frames, shows_video
from tests.support.browsers.users import Users
from tests.support.waiting import until

AWAY_S, AFTER_S = 3, 5
CONNECTION_STATE = "document.querySelector('#connection').dataset.state"


def seconds_without_frames(pages: list[Page], seconds: int) -> int:
    """Count the seconds in which a page showed no new frame of the other, or no tile."""
    still = 0
    for _ in range(seconds):
        before = [frames(page) for page in pages]
        pages[0].wait_for_timeout(1_000)
        after = [frames(page) for page in pages]
        still += any(b[:1] >= a[:1] for b, a in zip(before, after, strict=True))
    return still


@pytest.mark.target("R4")
def test_pages_show_the_loss_of_redis_and_the_call_continues(site, browser: Browser, figure):
    here, there = (Users(browser, process.url) for process in site.processes)
    nova, mira = here.enter("Nova", "redis", call=True), there.enter("Mira", "redis", call=True)
    pages = [nova, mira]
    for page in pages:
        shows_video(page, 1)
    site.redis.kill()
    still = seconds_without_frames(pages, AWAY_S)
    until(
        lambda: nova.evaluate(CONNECTION_STATE) == "reconnecting", "the word about it", seconds=20
    )
    nova.fill("form#msg [name=text]", "while it was away")
    nova.press("form#msg [name=text]", "Enter")
    site.redis.start()
    still += seconds_without_frames(pages, AFTER_S)
    figure("seconds without a new video frame", still, limit=0, unit="s")
    until(lambda: nova.evaluate(CONNECTION_STATE) == "open", "everything whole again", seconds=20)
    until(lambda: "while it was away" in mira.inner_text("#messages"), "the message", seconds=20)
    until(lambda: mira.inner_text("#room-title") == "redis (2)", "the roster", seconds=20)
    shows_video(mira, 1)
    here.leave()
    there.leave()
