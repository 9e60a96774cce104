"""Pairs of light callers (headless_callers.js) in pages of a Noom."""

import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

CALLERS = Path(__file__).with_name("headless_callers.js")
LOOK_EVERY_MS = 250
PAIRS_A_PAGE = 2


class LightPages:
    """Pages with a few light callers each.

    Chromium throttles a page that opens more than a dozen WebSockets at once: the last of them
    waits for seconds.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._pages: list[Page] = []
        self._errors: list[str] = []

    def prepare(self, keys: list[str]) -> None:
        """Create two callers for each room, who have not entered yet.

        It removes earlier callers.
        """
        shares = [keys[n : n + PAIRS_A_PAGE] for n in range(0, len(keys), PAIRS_A_PAGE)]
        while len(self._pages) < len(shares):
            page = self._browser.new_context(base_url=self._url).new_page()
            page.on("pageerror", lambda error: self._errors.append(str(error)))
            page.add_init_script(path=CALLERS)
            self._pages.append(page)
        for page, share in zip(self._pages, shares, strict=True):
            page.goto("/", wait_until="domcontentloaded")
            page.evaluate("keys => light.prepare(keys)", share)

    def join(self) -> None:
        self._all("light.join()")

    def glare(self) -> None:
        """Let both sides of every pair restart ICE at once."""
        self._all("light.glare()")

    def glares(self) -> int:
        """Return how many pairs had a glare."""
        return sum(self._all("light.glares()"))

    def standing(self, pairs: int, *, seconds: float, since: float) -> int:
        """Return how many pairs are connected.

        It returns as soon as all are, or this long after `since`.
        """
        while (found := int(sum(self._all("light.standing()")))) < pairs:
            if time.monotonic() > since + seconds:
                break
            self._pages[0].wait_for_timeout(LOOK_EVERY_MS)
        return found

    def change(self) -> None:
        """Give everybody another nickname and other media."""
        self._all("light.change()")

    def state_mismatches(self, *, seconds: float) -> int:
        """Return how many states some page does not show.

        It returns early if all pages show all of them.
        """
        until = time.monotonic() + seconds
        while (
            found := int(sum(self._all("light.stateMismatches()")))
        ) and time.monotonic() < until:
            self.wait(LOOK_EVERY_MS)
        return found

    def wait(self, milliseconds: float) -> None:
        self._pages[0].wait_for_timeout(milliseconds)

    def close(self) -> None:
        refused = [code for codes in self._all("light.refusals()") for code in codes]
        for page in self._pages:
            page.context.close()
        assert self._errors == [], self._errors
        assert refused == [], refused

    def _all(self, script: str) -> list[Any]:
        return [page.evaluate(script) for page in self._pages]
