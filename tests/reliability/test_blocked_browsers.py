"""Chat and calls in a browser without storage, without cookies, or with slow scripts."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import CHROMIUMS, installed
from tests.support.browsers.media_checks import hears, shows_video
from tests.support.browsers.users import FAKE_DEVICES, Users, join_call
from tests.support.patience import PATIENCE
from tests.support.waiting import until

pytestmark = pytest.mark.target("D13")

STORAGES = ("localStorage", "sessionStorage")
# The storage of a browser whose settings forbid it, that has none, or that has no room left.
FORBIDDEN = "get() { throw new DOMException('forbidden', 'SecurityError'); }"
NONE = "value: null"
FULL = """value: {
  getItem: () => null,
  setItem() { throw new DOMException('full', 'QuotaExceededError'); },
  removeItem() {},
}"""
BROKEN = {"forbidden": FORBIDDEN, "none": NONE, "full": FULL}
SLOWER = 6  # times


def chats_and_calls(*pages: Page) -> None:
    """Let all write, read, see and hear each other: presented frames, and sound."""
    texts = [f"from page {number}" for number in range(len(pages))]
    for page, text in zip(pages, texts, strict=True):
        page.fill("form#msg [name=text]", text)
        page.press("form#msg [name=text]", "Enter")
    for page in pages:
        for text in texts:
            expect(page.locator("#messages")).to_contain_text(text, timeout=20_000 * PATIENCE)
    for page in pages:
        join_call(page)
    for page in pages:
        shows_video(page, len(pages) - 1, seconds=60)
        hears(page, len(pages) - 1, seconds=60)


def enter(page: Page, room: str) -> Page:
    page.goto(f"/rooms/{room}/?nickname=Nova", wait_until="domcontentloaded")
    until(lambda: page.locator("#people [data-participant]").count(), "the room", seconds=30)
    return page


@pytest.mark.parametrize("broken", BROKEN)
def test_pages_without_one_storage_or_both_chat_and_call(people, broken):
    pages = [people.page(name) for name in ("Nova", "Mira", "Kim")]
    for page, storages in zip(pages, (STORAGES[:1], STORAGES[1:], STORAGES), strict=True):
        for name in storages:
            page.add_init_script(
                f"Object.defineProperty(window, '{name}',"
                f" {{ configurable: true, {BROKEN[broken]} }})"
            )
    chats_and_calls(*(enter(page, broken) for page in pages))


@contextmanager
def without_cookies(browser: Browser, folder: Path, url: str) -> Iterator[Page]:
    """Return a page of a Chromium whose settings block cookies and thus all storage."""
    settings = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (folder / "Default").mkdir()
    (folder / "Default" / "Preferences").write_text(json.dumps(settings))
    context = browser.browser_type.launch_persistent_context(
        str(folder),
        executable_path=installed(*CHROMIUMS),
        args=[*FAKE_DEVICES, *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        base_url=url,
        locale="en-GB",
    )
    with ExitStack() as closings:
        closings.callback(context.close)
        yield context.pages[0]


def test_page_without_cookies_chats_and_calls(people: Users, browser: Browser, tmp_path: Path):
    mira = people.enter("Mira", "no-cookies")
    with without_cookies(browser, tmp_path, people.url) as nova:
        errors: list[str] = []
        nova.on("pageerror", lambda error: errors.append(str(error)))
        enter(nova, "no-cookies")
        for name in STORAGES:
            with pytest.raises(Exception, match="denied"):
                nova.evaluate(f"window.{name}")
        assert nova.context.cookies() == []
        chats_and_calls(nova, mira)
        assert errors == []


def test_welcome_page_without_cookies_leads_into_a_room(
    people: Users, browser: Browser, tmp_path: Path
):
    with without_cookies(browser, tmp_path, people.url) as nova:
        nova.goto("/")
        nova.fill("#welcome [name=nickname]", "Nova")
        nova.fill("#welcome [name=room]", "cookieless")
        nova.press("#welcome [name=room]", "Enter")
        until(lambda: nova.locator("#people [data-participant]").count(), "the room")
        assert nova.inner_text("#room-title") == "cookieless (1)"


def test_page_with_slow_scripts_chats_and_calls(person: Callable[..., Page]):
    nova, mira = person("Nova", "slow"), person("Mira", "slow")
    session = nova.context.new_cdp_session(nova)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    nova.reload(wait_until="domcontentloaded")
    until(lambda: nova.locator("#people [data-participant]").count() == 2, "the room", seconds=30)
    chats_and_calls(nova, mira)
