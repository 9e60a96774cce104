"""Pairs of light callers (light_callers.js) in one page of a Noom."""

import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page

CALLERS = Path(__file__).with_name("light_callers.js")
LOOK_EVERY_MS = 250


class LightPage:
    """A page that holds many people."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.page: Page = browser.new_context(base_url=url).new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.add_init_script(path=CALLERS)

    def prepare(self, keys: list[str]) -> None:
        """A new page with two people for each of these rooms, who have not entered yet."""
        self.page.goto("/", wait_until="domcontentloaded")
        self.page.evaluate("keys => light.prepare(keys)", keys)

    def join(self) -> None:
        self.page.evaluate("light.join()")

    def glare(self) -> None:
        """Both sides of every pair offer a new path at once."""
        self.page.evaluate("light.glare()")

    def glares(self) -> int:
        """How many pairs had a glare."""
        return int(self.page.evaluate("light.glares()"))

    def standing(self, pairs: int, *, seconds: float, since: float) -> int:
        """How many of the pairs stand at this time after `since`; returns early if all do."""
        while (found := int(self.page.evaluate("light.standing()"))) < pairs:
            if time.monotonic() > since + seconds:
                break
            self.page.wait_for_timeout(LOOK_EVERY_MS)
        return found

    def close(self) -> None:
        refused = self.page.evaluate("light.refusals()")
        self.page.context.close()
        assert self.errors == [], self.errors
        assert refused == [], refused


def timed(act: Callable[[], None]) -> float:
    """When the act began."""
    start = time.monotonic()
    act()
    return start
