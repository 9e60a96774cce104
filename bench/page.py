"""`python -m bench.page`: the cost of an event in rooms of 100 to 10,000 messages.

A real server, and two pages in Chromium: one writes, one is measured. The cost is the time that the
measured page's main thread worked (the browser's own `TaskDuration`), for each event.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import CDPSession, Page

from tests.support.browsers.screenshots import chromium
from tests.support.browsers.users import FAKE_DEVICES, People
from tests.support.servers.dev_server import Noom
from tests.support.waiting import until_page

SIZES = (100, 1_000, 10_000)
EVENTS = 100
PAUSE_MS = 50  # between two messages, so that the page draws each by itself
TYPISTS = 4
TYPING_S = 10.0
MOST_RATIO = 1.5  # of the largest room to the smallest
MOST_TYPING = 0.02  # of a core
RESULTS = Path(__file__).parent / "page-results.md"

SAY = """async ([count, pause, prefix]) => {
  const input = document.querySelector('form#msg [name=text]');
  for (let number = 1; number <= count; number += 1) {
    input.value = `${prefix} ${number}`;
    input.form.requestSubmit();
    if (pause) await new Promise((go) => setTimeout(go, pause));
  }
}"""
LAST = "document.querySelector('#messages > li:last-child')?.innerText.includes('{text}')"


class Measured:
    """The work of a page's main thread."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")

    def busy_s(self) -> float:
        """Return the work since the page was opened."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def fill(speaker: Page, listener: Page, room: int) -> None:
    """Write so many messages, and wait until the other page has them."""
    speaker.evaluate(SAY, [room, 0, f"fill {room} number"])
    until_page(listener, LAST.format(text=f"fill {room} number {room}"), seconds=600)


def cost_ms(people: People, size: int, events: int) -> float:
    """Return the milliseconds for each new message in a room of so many."""
    speaker, listener = (people.enter(name, f"page {size}") for name in ("Nova", "Mira"))
    fill(speaker, listener, size)
    listener.wait_for_timeout(1_000)
    measured = Measured(listener)
    before = measured.busy_s()
    speaker.evaluate(SAY, [events, PAUSE_MS, "event number"])
    until_page(listener, LAST.format(text=f"event number {events}"), seconds=120)
    spent = measured.busy_s() - before
    for page in (speaker, listener):
        page.context.close()
    return spent / events * 1_000


def typing_share(people: People, seconds: float) -> float:
    """Return the share of a core that four typing people cost a page that looks on."""
    listener = people.enter("Mira", "typing")
    typists = [people.enter(f"Typist {number}", "typing") for number in range(TYPISTS)]
    measured = Measured(listener)
    listener.wait_for_timeout(1_000)
    before, began = measured.busy_s(), time.monotonic()
    while time.monotonic() - began < seconds:
        for typist in typists:
            typist.type("form#msg [name=text]", "a")
    spent = measured.busy_s() - before
    return spent / (time.monotonic() - began)


@contextmanager
def crowd() -> Iterator[People]:
    with tempfile.TemporaryDirectory() as folder:
        noom = Noom(Path(folder), RATE_LIMITS="0")
        noom.start()
        try:
            with chromium(*FAKE_DEVICES) as browser:
                people = People(browser, noom.url)
                yield people
                people.leave()
        finally:
            noom.stop()


def measure(sizes: tuple[int, ...], events: int, repeats: int, seconds: float) -> str:
    """Return the figures as a table, medians of the repeats."""
    with crowd() as people:
        costs = {size: [cost_ms(people, size, events) for _ in range(repeats)] for size in sizes}
        share = typing_share(people, seconds)
    rows = [
        f"| {size:,} | {statistics.median(found):.2f} | {min(found):.2f} | {max(found):.2f} |"
        for size, found in costs.items()
    ]
    ratio = statistics.median(costs[sizes[-1]]) / statistics.median(costs[sizes[0]])
    return "\n".join(
        [
            "# What an event costs a page",
            "",
            "Written by `make bench-page`: the work of the page's main thread for a message that",
            "comes in, by how many the room has. Server and browsers share one machine; the load",
            f"of the machine at the end was {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.",
            "",
            "| messages in the room | ms (median) | least | most |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Largest to smallest: {ratio:.2f} × (at most {MOST_RATIO} ×).",
            f"Four people who type: {share * 100:.2f} % of a core (at most {MOST_TYPING:.0%}).",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="rooms of ten and twenty, for seconds")
    parser.add_argument("--no-write", action="store_true", help="only print the figures")
    chosen = parser.parse_args()
    if chosen.small:
        text = measure((10, 20), events=5, repeats=1, seconds=1)
    else:
        text = measure(SIZES, EVENTS, repeats=3, seconds=TYPING_S)
    print(text)
    if not chosen.no_write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
