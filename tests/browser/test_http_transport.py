"""People whose network lets no WebSocket through: chat and calls all the same, and the way back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsers.media_checks import hears, shows_video
from tests.support.browsers.users import Users
from tests.support.servers.dev_server import Noom
from tests.support.servers.hostile_proxy import Proxy
from tests.support.waiting import until

# Keeps what the page said of its line, and of the people, from now on.
WATCH_LINE = """() => {
  window.seenStates = [];
  const line = document.querySelector('#connection');
  new MutationObserver(() => window.seenStates.push(line.dataset.state))
    .observe(line, { attributes: true, attributeFilter: ['data-state'] });
}"""
WATCH_PEOPLE = """() => {
  window.seenPeople = [];
  const people = document.querySelector('#people');
  const look = () => window.seenPeople.push(people.querySelectorAll('[data-here=true]').length);
  new MutationObserver(look).observe(people, { subtree: true, childList: true,
    attributes: true, characterData: true });
}"""


@pytest.fixture
def proxy(noom: Noom) -> Iterator[Proxy]:
    with Proxy(noom.url) as proxy:
        yield proxy


@pytest.fixture
def behind(browser: Browser, proxy: Proxy) -> Iterator[Users]:
    """People behind the proxy; their consoles speak of the handshakes that it refuses."""
    people = Users(browser, proxy.url, expected_errors=["WebSocket connection to"])
    yield people
    people.leave()


def say(page: Page, text: str) -> None:
    page.fill("form#msg [name=text]", text)
    page.press("form#msg [name=text]", "Enter")


def reads(page: Page, text: str) -> None:
    until(lambda: text in page.inner_text("#messages"), text)


@pytest.mark.parametrize("upgrades", ["refuse", "drop"])
def test_chat_and_a_call_without_websockets(behind, person, proxy, upgrades):
    proxy.upgrades = upgrades
    nova, mira = behind.enter("Nova", "narrow", call=True), person("Mira", "narrow", call=True)
    assert proxy.handshakes > 0, "no WebSocket was tried"
    for page in (nova, mira):
        shows_video(page, 1)
        hears(page, 1)
    say(nova, "through the wall")
    reads(mira, "through the wall")
    say(mira, "and back")
    reads(nova, "and back")
    assert nova.inner_text("#room-title") == "narrow (2)"


def test_page_returns_to_websocket_unnoticed(behind, person, proxy):
    nova, mira = behind.enter("Nova", "back", call=True), person("Mira", "back", call=True)
    shows_video(mira, 1)
    mira.evaluate(WATCH_PEOPLE)
    nova.evaluate(WATCH_LINE)
    proxy.upgrades = "pass"
    until(lambda: proxy.open_websockets == 2, "both of the page's lines to move", seconds=40)
    until(lambda: proxy.open_fallbacks == 0, "the end of what they were before")
    say(nova, "by WebSocket")
    reads(mira, "by WebSocket")
    assert nova.evaluate("window.seenStates") == []
    assert set(mira.evaluate("window.seenPeople")) <= {2}, "somebody was said to be away"
    shows_video(mira, 1)
    shows_video(nova, 1)


def test_page_polls_when_a_proxy_buffers_streams(behind, person, proxy):
    proxy.holds_back = True
    nova, mira = behind.enter("Nova", "held"), person("Mira", "held")
    say(mira, "arrives all the same")
    reads(nova, "arrives all the same")
    say(nova, "and so does this")
    reads(mira, "and so does this")
    assert proxy.open_websockets == 0
    until(lambda: proxy.open_fallbacks == 1, "a poll that waits")


def test_welcome_page_shows_rooms_and_a_reload_keeps_the_place(behind, person, proxy):
    lobby = behind.page("Lobby")
    lobby.goto("/")
    nova, mira = behind.enter("Nova", "narrow lobby"), person("Mira", "narrow lobby")
    until(lambda: lobby.locator("[data-room]").count() == 1, "the room in the list")
    mira.evaluate(WATCH_PEOPLE)
    nova.reload(wait_until="domcontentloaded")
    until(lambda: nova.inner_text("#room-title") == "narrow lobby (2)", "Nova's return")
    say(mira, "welcome back")
    reads(nova, "welcome back")
    nova.close()
    until(lambda: mira.inner_text("#room-title") == "narrow lobby (1)", "Nova's goodbye")
