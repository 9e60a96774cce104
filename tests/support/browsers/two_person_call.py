"""A call of two real browsers that a fault hits, and a record of each page."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.support.browsers.media_checks import shows_video
from tests.support.browsers.users import Users, join_call
from tests.support.patience import PATIENCE
from tests.support.waiting import until, until_page

WATCH = Path(__file__).with_name("page_recorder.js")
OPEN = "document.querySelector('#connection').dataset.state === 'open'"
SCREEN = "#screens [data-screen] video"
# The browser itself logs these errors while a server or a network is away.
EXPECTED_ERRORS = ("WebSocket", "ERR_CONNECTION_", "ERR_INTERNET_DISCONNECTED")
Figure = Callable[..., None]


def enter(
    people: Users, nickname: str, room: str, *, opened: Callable[[Page], None] | None = None
) -> Page:
    """Return a recorded page that has joined the call.

    `opened` gets the page while it is empty.
    """
    page = people.page(nickname)
    if opened:
        opened(page)
    page.add_init_script(path=WATCH)
    page.goto(f"/rooms/{room}/?nickname={nickname}", wait_until="domcontentloaded")
    return join_call(page)


class Call:
    """A call of Nova and Mira, with different choices.

    Nova is muted and shows her camera. Mira shows her screen and no camera. Each has pinned the
    other's tile.
    """

    def __init__(self, nova_at: Users, mira_at: Users, room: str) -> None:
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
        time.sleep(1)  # the tiles move by a transition
        self.before = [page.evaluate("lived.now()") for page in self.pages]
        assert [now["pressed"] for now in self.before] == [
            {"mute": "true", "camera": "true", "share": "false"},
            {"mute": "false", "camera": "false", "share": "true"},
        ]
        assert all(len(now["pinned"]) == 1 for now in self.before)

    def flows(self, seconds: float = 30) -> None:
        """Wait until each page shows new frames of the other person."""
        shows_video(self.mira, 1, seconds=seconds)
        shows_video(self.nova, 1, tiles=SCREEN, seconds=seconds)

    @contextmanager
    def through(self, figure: Figure, what: str, *, states: set[str]) -> Iterator[None]:
        """Check that both pages end as they began.

        `states` are the states that a page may show meanwhile. Each page shows at least one of
        them, unless "open" is among them.
        """
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
        """Return the pages whose state differs from the state before."""
        now = [page.evaluate("lived.now()") for page in self.pages]
        pairs = zip(self.before, now, strict=True)
        return [f"{before}\n{after}" for before, after in pairs if before != after]

    def seconds_without_frames(self) -> int:
        """Return the seconds without frames since `through` began.

        It is the figure of the page that had the most.
        """
        return max(without_frames(page) for page in self.pages)


def _lived(page: Page) -> dict[str, Any]:
    """Return the record of a page once its connection is open.

    The connection may end just before the query.
    """
    found: dict[str, Any] = until_page(
        page, "lived.states.at(-1) === 'open' && lived", seconds=20, what="a line to be up"
    )
    return found


def calm(shown: list[str], allowed: set[str]) -> bool:
    """Return whether a page went from open through the allowed states back to open."""
    between = set(shown[1:-1])
    passed = shown[0] == shown[-1] == "open" and between <= allowed | {"open"}
    return passed and (bool(between & allowed) or "open" in allowed)


def without_frames(page: Page) -> int:
    counts: list[int] = page.evaluate("lived.frames")
    return sum(after <= before for before, after in pairwise(counts))


def with_deadline(check: Callable[[], Any], *, seconds: float) -> None:
    """Wait for a state that a figure then judges."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not check() and time.monotonic() < deadline:
        time.sleep(0.1)


def wait_for_state(page: Page, states: set[str], *, seconds: float = 20) -> None:
    """Wait until the page has shown one of these states."""
    until(lambda: set(page.evaluate("lived.states")) & states, f"{states}", seconds=seconds)
