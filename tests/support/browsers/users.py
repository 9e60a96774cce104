"""People in Chromium, each with a browser context, who must see no error."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

from tests.support.patience import PATIENCE
from tests.support.waiting import until_page

FAKE_DEVICES = (
    "--use-fake-device-for-media-stream=device-count=3,fps=10",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    # Pages get this machine's addresses instead of mDNS names, which another browser cannot
    # resolve.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
LOAD_S = 30
LOCAL_SCHEMES = {"blob", "data", "about"}


def join_call(page: Page) -> Page:
    """Click "Join call" as a person does, and wait until the page is in the call."""
    page.click("#join-call")
    page.locator("#leave-call").wait_for(state="visible")
    return page


def _mean_it(asked: Dialog) -> None:
    """Confirm the browser's question before a page with a call closes."""
    if asked.type == "beforeunload":
        asked.accept()


@dataclass
class Users:
    """People in the rooms of one Noom; closes their pages at the end."""

    browser: Browser
    url: str
    errors: list[str] = field(default_factory=list)
    expected_errors: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def page(self, nickname: str = "Anon", **options: Any) -> Page:
        """Return an empty page of a new person.

        `options` are those of a Playwright context.
        """
        context = self.browser.new_context(**{"base_url": self.url, "locale": "en-GB", **options})
        context.set_default_timeout(LOAD_S * PATIENCE * 1_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("dialog", _mean_it)
        page.on("pageerror", lambda error: self.errors.append(f"{nickname}: {error}"))
        page.on("console", lambda message: self._hear(nickname, message))
        context.on("request", lambda request: self._watch(nickname, request))
        return page

    def enter(self, nickname: str, room: str, *, call: bool = False, **options: Any) -> Page:
        """Return a page of a person who has entered the room.

        With `call`, the page has joined the call, too.
        """
        page = self.page(nickname, **options)
        query = urlencode({"nickname": nickname})
        # A video that has no picture yet delays the load event.
        page.goto(f"/rooms/{quote(room)}/?{query}", wait_until="domcontentloaded")
        until_page(
            page, "document.querySelectorAll('#people [data-participant]').length", seconds=LOAD_S
        )
        return join_call(page) if call else page

    def leave(self) -> None:
        """Close every page.

        It fails if one of them logged an error or sent a request elsewhere.
        """
        for context in self._contexts:
            context.close()
        self._contexts.clear()
        unexpected = [
            error
            for error in self.errors
            if not any(expected in error for expected in self.expected_errors)
        ]
        assert not unexpected, "\n".join(unexpected)

    def _hear(self, nickname: str, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{nickname}: {message.text} ({message.location.get('url', '')})")

    def _watch(self, nickname: str, request: Request) -> None:
        target = urlsplit(request.url)
        here = f"{target.scheme}://{target.netloc}" == self.url
        if not here and target.scheme not in LOCAL_SCHEMES:
            self.errors.append(f"{nickname}: request to a stranger, {request.url}")
