"""A call of two in real browsers that something happens to, and what each page lived through."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.support.browsers.media_checks import shows_video
from tests.support.browsers.users import People, join_call
from tests.support.patience import PATIENCE
from tests.support.waiting import until, until_page

WATCH = Path(__file__).with_name("page_recorder.js")
OPEN = "document.querySelector('#line').dataset.state === 'open'"
SCREEN = "#screens [data-screen] video"
# What a browser says by itself about a server, or a network, that is away.
EXPECTED_ERRORS = ("WebSocket", "ERR_CONNECTION_REFUSED", "ERR_INTERNET_DISCONNECTED")
Figure = Callable[..., None]


def enter(
    people: People, nickname: str, room: str, *, opened: Callable[[Page], None] | None = None
) -> Page:
    """A watched page that has joined the call; `opened` gets it while it is still empty."""
    page = people.page(nickname)
    if opened:
        opened(page)
    page.add_init_script(path=WATCH)
    page.goto(f"/rooms/{room}/?nickname={nickname}", wait_until="domcontentloaded")
    return join_call(page)


class Call:
    """Nova and Mira, each with choices of her own: Nova is muted and shows her camera; Mira shows
    her screen and no camera; each has pinned the other's tile."""

    def __init__(self, nova_at: People, mira_at: People, room: str) -> None:
        for people in (nova_at, mira_at):
            people.expected_errors += EXPECTED_ERRORS
        self.nova, self.mira = enter(nova_at, "Nova", room), enter(mira_at, "Mira", room)
        self.pages = (self.nova, self.mira)
        for page in self.pages:
            shows_video(page, 1)
        self.nova.click("#mute")
        self.mira.click("#camera")
        self.mira.click("#share")
        shows_video(self.nova, 1, tiles=SCREEN)
        self.nova.click("#peers .tile")
        self.mira.click("#peers .tile")
        self.flows()
        time.sleep(1)  # tiles glide to their places
        self.before = [page.evaluate("lived.now()") for page in self.pages]
        assert [now["pressed"] for now in self.before] == [
            {"mute": "true", "camera": "true", "share": "false"},
            {"mute": "false", "camera": "false", "share": "true"},
        ]
        assert all(len(now["pinned"]) == 1 for now in self.before)

    def flows(self, seconds: float = 30) -> None:
        """Waits until each sees the other move."""
        shows_video(self.mira, 1, seconds=seconds)
        shows_video(self.nova, 1, tiles=SCREEN, seconds=seconds)

    @contextmanager
    def through(self, figure: Figure, what: str, *, states: set[str]) -> Iterator[None]:
        """Both must come out as they went in; `states` are those that a page may show meanwhile,
        one of them at least unless "open" is among them."""
        for page in self.pages:
            until_page(page, f"{OPEN} && (lived.begin(), true)", what=f"{what}: a line to begin")
        yield
        for page in self.pages:
            until_page(page, OPEN, seconds=40, what=f"{what}: the line")
        self.flows()
        with_deadline(lambda: not self.changes(), seconds=20)
        changes = self.changes()
        print(*changes, sep="\n")
        figure(f"{what}: pages whose choices or layout changed", len(changes), limit=0)
        lived = [_lived(page) for page in self.pages]
        figure(f"{what}: tiles too many", max(one["most"] for one in lived) - 1, limit=0)
        figure(f"{what}: modal dialogs", sum(one["modals"] for one in lived), limit=0)
        wrong = [one["states"] for one in lived if not calm(one["states"], states)]
        print(*wrong, sep="\n")
        figure(f"{what}: pages with other states than they may show", len(wrong), limit=0)

    def changes(self) -> list[str]:
        """The pages on which something is other than before."""
        now = [page.evaluate("lived.now()") for page in self.pages]
        pairs = zip(self.before, now, strict=True)
        return [f"{before}\n{after}" for before, after in pairs if before != after]

    def seconds_without_frames(self) -> int:
        """Since `through` began, at the page that had the most."""
        return max(without_frames(page) for page in self.pages)


def _lived(page: Page) -> dict[str, Any]:
    """What a page has lived through, when its line is up: a line may be at its end just now."""
    found: dict[str, Any] = until_page(
        page, "lived.states.at(-1) === 'open' && lived", seconds=20, what="a line to be up"
    )
    return found


def calm(shown: list[str], allowed: set[str]) -> bool:
    """Whether a page went from connected by the allowed states back to connected."""
    between = set(shown[1:-1])
    passed = shown[0] == shown[-1] == "open" and between <= allowed | {"open"}
    return passed and (bool(between & allowed) or "open" in allowed)


def without_frames(page: Page) -> int:
    counts: list[int] = page.evaluate("lived.frames")
    return sum(after <= before for before, after in pairwise(counts))


def with_deadline(check: Callable[[], Any], *, seconds: float) -> None:
    """Waits for a state that a figure then judges."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not check() and time.monotonic() < deadline:
        time.sleep(0.1)


def told(page: Page, states: set[str], *, seconds: float = 20) -> None:
    """Waits until the page shows one of these states."""
    until(lambda: set(page.evaluate("lived.states")) & states, f"{states}", seconds=seconds)
