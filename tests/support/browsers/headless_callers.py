"""Pairs of light callers (headless_callers.js) in pages of a Noom."""

import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

CALLERS = Path(__file__).with_name("headless_callers.js")
LOOK_EVERY_MS = 250
PAIRS_A_PAGE = 2


class LightPages:
    """Pages that hold many people, few each: who opens more than a dozen WebSockets at once waits
    seconds for the last of them, by Chromium's own throttle."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._pages: list[Page] = []
        self._errors: list[str] = []

    def prepare(self, keys: list[str]) -> None:
        """Two people for each of these rooms, who have not entered yet; those before are gone."""
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
        """Both sides of every pair offer a new path at once."""
        self._all("light.glare()")

    def glares(self) -> int:
        """How many pairs had a glare."""
        return sum(self._all("light.glares()"))

    def standing(self, pairs: int, *, seconds: float, since: float) -> int:
        """How many of the pairs stand at this time after `since`; returns early if all do."""
        while (found := int(sum(self._all("light.standing()")))) < pairs:
            if time.monotonic() > since + seconds:
                break
            self._pages[0].wait_for_timeout(LOOK_EVERY_MS)
        return found

    def change(self) -> None:
        """Everybody takes another name, and sends something else into the call."""
        self._all("light.change()")

    def untrue(self, *, seconds: float) -> int:
        """How many states that people set some page does not show; returns early if all show."""
        until = time.monotonic() + seconds
        while (found := int(sum(self._all("light.untrue()")))) and time.monotonic() < until:
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
