"""The premise of every test in browsers: two browsers can meet on this machine."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser

from tests.support.browsers.firefox import Firefox
from tests.support.browsers.media_checks import AUDIBLE, frames, hears, loudness, shows_video
from tests.support.servers.dev_server import ROOT
from tests.support.waiting import Evaluates, until

PAGE = ROOT / "tests" / "support" / "browsers" / "two_peers.html"
VIDEO = "video"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    handler = partial(_Quiet, directory=str(PAGE.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/{PAGE.name}"
        server.shutdown()


def meet(caller: Evaluates, callee: Evaluates) -> None:
    offer = caller.evaluate("offer()")
    caller.evaluate("answer => accept(answer)", callee.evaluate("o => answer(o)", offer))


def test_firefox_meets_itself(url: str, firefox: Firefox):
    firefox.goto(url)
    firefox.evaluate("meetMyself()")
    shows_video(firefox, tiles=VIDEO)
    hears(firefox, tiles=VIDEO)


@pytest.mark.parametrize("who_calls", ["chromium", "firefox"])
def test_chromium_and_firefox_meet(url: str, browser: Browser, firefox: Firefox, who_calls: str):
    chromium = browser.new_page()
    chromium.goto(url)
    firefox.goto(url)
    meet(*((chromium, firefox) if who_calls == "chromium" else (firefox, chromium)))
    for page in (chromium, firefox):
        shows_video(page, tiles=VIDEO)
        hears(page, tiles=VIDEO)
    chromium.close()


def test_checks_fail_for_media_that_is_not_sent(url: str, browser: Browser):
    sender, receiver = browser.new_page(), browser.new_page()
    sender.goto(url)
    receiver.goto(url)
    meet(sender, receiver)
    shows_video(receiver, tiles=VIDEO)
    hears(receiver, tiles=VIDEO)
    sender.evaluate("Promise.all(pc.getSenders().map(sender => sender.replaceTrack(null)))")
    until(lambda: loudness(receiver, VIDEO)[0] < AUDIBLE, "silence")
    before = frames(receiver, VIDEO)
    assert loudness(receiver, VIDEO)[0] < AUDIBLE
    assert frames(receiver, VIDEO) == before
    sender.close()
    receiver.close()
