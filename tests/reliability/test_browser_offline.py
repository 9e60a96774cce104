"""A browser that was offline gets every message on its return, and shows gaps."""

import sqlite3
import time
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.browsers.home_networks import ReachableNoom, people_at
from tests.support.browsers.two_person_call import EXPECTED_ERRORS, OPEN, Figure
from tests.support.clients.bot_thread import Loop
from tests.support.clients.websocket import Wire
from tests.support.servers.message_rows import FORGET
from tests.support.servers.network_namespaces import MISSING, Namespace
from tests.support.waiting import until, until_page

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.slow,
    pytest.mark.target("R10"),
]

ROOM = "/ws/chat/offline/"
READ = 80
FORGOTTEN_S = 25  # after a lease and a sweep, the server has forgotten the member
BACK_WITHIN_S = 20

# Returns the position of the first message that is visible as a whole, and its text.
READING = """() => {
  const top = document.getElementById('chat-scroll').getBoundingClientRect().top;
  const first = [...document.querySelectorAll('#messages .message')]
    .find(row => row.getBoundingClientRect().top >= top);
  return [first.querySelector('.message-text').textContent, first.getBoundingClientRect().top];
}"""
TEXTS = "[...document.querySelectorAll('#messages .message-text')].map(text => text.textContent)"


class Away:
    """Nova's page at home, Mira's socket at this machine, and Mira's numbered messages."""

    def __init__(self, home: Namespace, noom: ReachableNoom, page, loop: Loop, mira: Wire) -> None:
        self.home, self.noom, self.page, self._loop, self._mira = home, noom, page, loop, mira
        self.said: list[str] = []

    def post(self, count: int) -> None:
        new = [f"message {number}" for number in range(len(self.said), len(self.said) + count)]
        for text in new:
            self._loop.run(self._mira.post(text))
        self.said += new

    def read_in_the_middle(self) -> list[Any]:
        """Scroll up from the newest message; return Nova's reading position."""
        until(lambda: len(self.page.evaluate(TEXTS)) == len(self.said), "the messages", seconds=20)
        self.page.evaluate("document.getElementById('chat-scroll').scrollTop -= 900")
        self.page.wait_for_timeout(300)
        reading: list[Any] = self.page.evaluate(READING)
        return reading

    def returns(self, figure: Figure, what: str) -> None:
        """Plug the cable in, and wait for the newest message."""
        start = time.monotonic()
        self.home.plug()
        newest = self.said[-1]
        until(lambda: newest in self.page.evaluate(TEXTS)[-1:], "the newest", seconds=60)
        figure(f"{what}: back", time.monotonic() - start, limit=BACK_WITHIN_S, unit="s")
        until_page(self.page, OPEN, seconds=20)

    def judge(self, figure: Figure, what: str, reading: list[Any]) -> None:
        texts = self.page.evaluate(TEXTS)
        until(lambda: len(self.page.evaluate(TEXTS)) >= len(self.said), "all", seconds=20)
        texts = self.page.evaluate(TEXTS)
        missing = len(set(self.said) - set(texts))
        figure(f"{what}: messages missing, of {len(self.said)}", missing, limit=0)
        disorder = int([text for text in texts if text in self.said] != self.said)
        figure(f"{what}: pages with doubles or another order", disorder, limit=0)
        text, top = self.page.evaluate(READING)
        moved = abs(top - reading[1]) if text == reading[0] else 10_000
        figure(f"{what}: the text that is read has moved by", moved, limit=1, unit="px")


@pytest.fixture
def away(browser, tmp_path):
    with ExitStack() as closings:
        home = Namespace()
        closings.callback(home.close)
        home.open()
        noom = ReachableNoom(tmp_path, home.gate, RATE_LIMITS="0")
        closings.callback(noom.stop)
        noom.start()
        loop = Loop()
        closings.callback(loop.stop)
        people = people_at(home, noom.url, browser, folder=tmp_path, closings=closings)
        people.expected_errors += EXPECTED_ERRORS
        page = people.page("Nova")
        page.clock.install()
        page.goto("/rooms/offline/?nickname=Nova", wait_until="domcontentloaded")
        until_page(page, OPEN)
        mira = Wire(noom.url, ROOM)
        loop.run(mira.__aenter__())
        closings.callback(lambda: loop.run(mira.__aexit__()))
        loop.run(mira.enter("Mira"))
        yield Away(home, noom, page, loop, mira)


def test_offline_for_90_seconds(away: Away, figure: Figure):
    away.post(READ)
    reading = away.read_in_the_middle()
    away.home.pull()
    until(lambda: not away.page.evaluate("navigator.onLine"), "offline")
    start = time.monotonic()
    away.post(150)
    time.sleep(90 - (time.monotonic() - start))
    away.returns(figure, "90 s")
    away.judge(figure, "90 s", reading)


def test_offline_for_half_an_hour(away: Away, figure: Figure):
    """The test moves the page's own clock half an hour forward.

    The server has forgotten Nova by then, as after any longer time.
    """
    away.post(READ)
    reading = away.read_in_the_middle()
    away.home.pull()
    until(lambda: not away.page.evaluate("navigator.onLine"), "offline")
    away.post(1_000)
    away.page.clock.fast_forward(30 * 60 * 1_000)
    time.sleep(FORGOTTEN_S)
    away.returns(figure, "30 min")
    away.judge(figure, "30 min", reading)


def test_deleted_history_shows_as_a_gap(away: Away, figure: Figure):
    away.post(10)
    until(lambda: len(away.page.evaluate(TEXTS)) == 10, "the messages")
    away.home.pull()
    until(lambda: not away.page.evaluate("navigator.onLine"), "offline")
    away.post(200)
    forget_all(away.noom)
    kept = away.said[:10]
    away.post(10)
    away.returns(figure, "beyond retention")
    texts = away.page.evaluate(TEXTS)
    figure("beyond retention: messages missing", len({*away.said[-10:]} - {*texts}), limit=0)
    figure("beyond retention: deleted messages shown", len({*kept} & {*texts}), limit=0)
    gaps = away.page.locator("#messages .chat-notice", has_text="no longer kept").count()
    figure("beyond retention: gaps that are not shown", 1 - gaps, limit=0)


def forget_all(noom: ReachableNoom) -> None:
    """Make every message too old, and delete them with the server's hourly retention."""
    path = noom.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(path, timeout=20) as database:
        database.execute("UPDATE chat_message SET sent_at = '2001-01-01 00:00:00'")
    database.close()
    forget = noom._run("shell", "-c", FORGET)
    assert forget.wait(30) == 0, noom.log
