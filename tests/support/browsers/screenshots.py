"""`python -m tests.support.browsers.screenshots`: the README's pictures, of a real server."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import CHROMIUMS, installed
from tests.support.browsers.media_checks import shows_video
from tests.support.browsers.users import FAKE_DEVICES, Users
from tests.support.servers.dev_server import ROOT, Noom

FOLDER = ROOT / "docs" / "screenshots"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
NAMES = ("Nova", "민서", "Amélie", "Karim")


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=installed(*CHROMIUMS), args=[*flags, *sandbox]
        )
        yield browser
        browser.close()


def picture(page: Page, name: str, *, wait_ms: int = 400) -> None:
    page.wait_for_timeout(wait_ms)
    page.screenshot(path=FOLDER / f"{name}.png")


def talk(pages: list[Page]) -> None:
    """Write a short conversation."""
    lines = [
        "Can everybody see the draft?",
        "Yes! 👋",
        "네, 잘 보여요",
        "https://example.org/draft",
    ]
    for page, line in zip(pages, lines, strict=False):
        page.fill("form#msg [name=text]", line)
        page.click(".msg-send")  # on a phone, Enter begins a new line
        page.wait_for_timeout(300)


def welcome(people: Users, scheme: str) -> None:
    for name, size in (("welcome", DESKTOP), ("phone-welcome", PHONE)):
        page = people.page("Reader", color_scheme=scheme, **size)
        page.goto("/")
        page.fill("#welcome [name=nickname]", "Nova")
        picture(page, f"{name}-{scheme}")
    people.leave()


def room(people: Users, scheme: str, count: int) -> None:
    key = f"team-{count}-{scheme}"
    pages = [people.enter(name, key, color_scheme=scheme, **DESKTOP) for name in NAMES[:count]]
    talk(pages)
    if count > 1:
        for page in pages:
            page.click("#join-call")
        shows_video(pages[0], count - 1)
    picture(pages[0], f"room-{count}-{scheme}", wait_ms=2_500 if count > 1 else 400)
    people.leave()


def phone(people: Users, scheme: str) -> None:
    key = f"phone-{scheme}"
    options: dict[str, Any] = {"color_scheme": scheme}
    people.enter("민서", key, call=True, **options, **DESKTOP)
    nova = people.enter("Nova", key, call=True, **options, **PHONE)
    shows_video(nova, 1)
    picture(nova, f"phone-room-{scheme}", wait_ms=2_000)
    nova.click("#open-chat")
    talk([nova])
    picture(nova, f"phone-chat-{scheme}")
    people.leave()


def refused(noom: Noom) -> None:
    denying = [flag for flag in FAKE_DEVICES if "fake-ui" not in flag]
    with chromium(*denying, "--use-fake-ui-for-media-stream=deny") as browser:
        people = Users(browser, noom.url)
        page = people.enter("Nova", "refused", call=True, **DESKTOP)
        picture(page, "refused-light", wait_ms=1_500)
        people.leave()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        noom = Noom(Path(folder))
        noom.start()
        try:
            with chromium(*FAKE_DEVICES) as browser:
                for scheme in ("light", "dark"):
                    people = Users(browser, noom.url)
                    welcome(people, scheme)
                    for count in (1, 2, 4):
                        room(people, scheme, count)
                    phone(people, scheme)
            refused(noom)
        finally:
            noom.stop()


if __name__ == "__main__":
    main()
