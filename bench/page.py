"""`python -m bench.page`: the cost of an event in rooms of 100 to 10,000 messages.

A real server, a page in Chromium that is measured, and a socket that writes. The cost is the time
that the main thread of the page worked (the `TaskDuration` of the browser), for each event.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import CDPSession, Page

from bench import servers

servers.set_up_django()

from tests.support.browsers.screenshots import chromium  # noqa: E402 - needs the key
from tests.support.browsers.users import FAKE_DEVICES, Users  # noqa: E402
from tests.support.clients.bot_thread import Loop  # noqa: E402
from tests.support.clients.websocket import Wire  # noqa: E402
from tests.support.servers.dev_server import Noom  # noqa: E402
from tests.support.waiting import until_page  # noqa: E402

SIZES = (100, 1_000, 10_000)
EVENTS = 100
PAUSE_S = 0.05  # between two messages, so that the page draws each by itself
FILL_CHUNK = 200  # messages that are in flight while a room is filled
TYPISTS = 4
TYPING_S = 10.0
MOST_RATIO = 1.5  # of the largest room to the smallest
MOST_TYPING = 0.02  # of a core
RESULTS = Path(__file__).parent / "page-results.md"

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


async def write(url: str, room: str, text: str, count: int, pause_s: float = 0.0) -> None:
    """Write so many numbered messages into a room, FILL_CHUNK at a time or with a pause each."""
    async with Wire(url, f"/ws/chat/{room}/") as writer:
        await writer.enter("Nova")
        step = 1 if pause_s else FILL_CHUNK
        for start in range(1, count + 1, step):
            numbers = range(start, min(start + step, count + 1))
            await asyncio.gather(*(writer.post(f"{text} {number}") for number in numbers))
            writer.forget()
            await asyncio.sleep(pause_s)


def cost_ms(people: Users, loop: Loop, size: int, events: int) -> float:
    """Return the milliseconds for each new message in a room of so many."""
    room = f"page-{size}-{secrets.token_hex(4)}"
    listener = people.enter("Mira", room)
    loop.run(write(people.url, room, f"fill {size} number", size))
    until_page(listener, LAST.format(text=f"fill {size} number {size}"), seconds=120)
    listener.wait_for_timeout(1_000)
    measured = Measured(listener)
    before = measured.busy_s()
    loop.run(write(people.url, room, "event number", events, PAUSE_S))
    until_page(listener, LAST.format(text=f"event number {events}"), seconds=120)
    spent = measured.busy_s() - before
    listener.context.close()
    return spent / events * 1_000


def typing_share(people: Users, seconds: float) -> float:
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
def crowd() -> Iterator[tuple[Users, Loop]]:
    """Run a server and a browser; returns people, and a loop for what writes to them."""
    with tempfile.TemporaryDirectory() as folder:
        noom = Noom(Path(folder), RATE_LIMITS="0", SECRET_KEY=servers.SECRET_KEY)
        noom.start()
        loop = Loop()
        try:
            with chromium(*FAKE_DEVICES) as browser:
                people = Users(browser, noom.url)
                yield people, loop
                people.leave()
        finally:
            loop.stop()
            noom.stop()


def measure(sizes: tuple[int, ...], events: int, repeats: int, seconds: float) -> str:
    """Return the figures as a table, medians of the repeats."""
    with crowd() as (people, loop):
        costs: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(repeats):
            for size in sizes:
                costs[size].append(cost_ms(people, loop, size, events))
        share = typing_share(people, seconds)
    rows = [
        f"| {size:,} | {statistics.median(found):.2f} | {min(found):.2f} | {max(found):.2f} |"
        for size, found in costs.items()
    ]
    ratio = statistics.median(costs[sizes[-1]]) / statistics.median(costs[sizes[0]])
    return "\n".join(
        [
            "# The cost of an event in a page",
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
