"""The cost of a mesh.

Calls of two to eight people, in CPU time and bit rate for each.

`python -m bench.mesh` starts Noom and that many tabs of Chromium in one call. They share this
machine, so from some size on the machine is the limit, and not the mesh. The report marks those
rows: they show how the picture suffers.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.join import RECORD, Production
from bench.machine import machine
from tests.conftest import CHROMIUMS, installed
from tests.support.browsers.users import FAKE_DEVICES
from tests.support.servers.dev_server import ROOT
from tests.support.waiting import until_page

RESULTS = ROOT / "bench" / "mesh-results.md"
PLOT = ROOT / "docs" / "mesh.png"
KEPT = ROOT / "var" / "mesh.json"  # the rows so far, by size
CONNECTED_S = 90
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
SATURATED = 0.85  # of all cores: above it, pictures are late
CONNECTED = "connections.filter((pc) => pc.connectionState === 'connected').length"
# Returns the bytes that one tab has sent and received so far, and its shown pictures.
TRAFFIC = """async () => {
  const living = connections.filter((pc) => pc.connectionState === 'connected');
  const reports = await Promise.all(living.map((pc) => pc.getStats()));
  const all = reports.flatMap((report) => [...report.values()]);
  const sum = (type, name) => all.filter((one) => one.type === type)
    .reduce((total, one) => total + (one[name] ?? 0), 0);
  return {
    sent: sum('outbound-rtp', 'bytesSent'), received: sum('inbound-rtp', 'bytesReceived'),
    frames: sum('inbound-rtp', 'framesDecoded'), at: performance.now(),
    height: Math.max(0, ...all.map((one) => (one.type === 'inbound-rtp' && one.frameHeight) || 0)),
  };
}"""

Row = dict[str, float]


@contextmanager
def call(browser: Browser, url: str, people: int) -> Iterator[list[Page]]:
    """Open that many tabs, each connected to all others."""
    contexts = [browser.new_context(viewport={"width": 960, "height": 640}) for _ in range(people)]
    try:
        pages = [context.new_page() for context in contexts]
        for number, page in enumerate(pages):
            page.add_init_script(RECORD)  # which also presses "Join call"
            page.goto(
                f"{url}/rooms/mesh-{people}/?nickname=P{number}", wait_until="domcontentloaded"
            )
        for page in pages:
            until_page(page, f"{CONNECTED} === {people - 1}", seconds=CONNECTED_S)
        yield pages
    finally:
        for context in contexts:
            context.close()


def measure(browser: Browser, url: str, people: int, seconds: float) -> Row:
    """Measure one size: medians over the people.

    It measures for `seconds`, after as many seconds to settle.
    """
    with call(browser, url, people) as pages:
        time.sleep(seconds)
        cpu, began = _cpu_s(), time.monotonic()
        before = [page.evaluate(TRAFFIC) for page in pages]
        time.sleep(seconds)
        after = [page.evaluate(TRAFFIC) for page in pages]
        used = (_cpu_s() - cpu) / (time.monotonic() - began)
    others = people - 1
    return {
        "people": people,
        "cpu": used / people,
        "busy": used / (os.cpu_count() or 1),
        "up": _rate(before, after, "sent") * 8 / 1e6,
        "down": _rate(before, after, "received") * 8 / 1e6,
        "fps": _rate(before, after, "frames") / others,
        "height": statistics.median(one["height"] for one in after),
    }


def _rate(before: list[Any], after: list[Any], name: str) -> float:
    """Return the median over the people of the growth in a second."""
    rates: list[float] = [
        (late[name] - early[name]) / (late["at"] - early["at"]) * 1000
        for early, late in zip(before, after, strict=True)
    ]
    return statistics.median(rates)


def _cpu_s() -> float:
    """Return the CPU time of all processes of the benchmark's Chromium."""
    ours = {os.getpid()}
    total = 0.0
    for pid, parent, ticks, name in sorted(_processes()):
        if parent in ours:
            ours.add(pid)
            total += ticks / CLOCK_TICKS if name.startswith("chrom") else 0
    return total


def _processes() -> Iterator[tuple[int, int, int, str]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
            except OSError:
                continue  # it has just ended
            fields = rest.split()
            yield int(folder.name), int(fields[1]), int(fields[11]) + int(fields[12]), name


def report(rows: list[Row], chromium: str) -> str:
    """Return the results as a page."""
    lines = [
        f"| {row['people']:.0f} | {row['cpu']:.2f} | {row['busy']:.0%} | {row['up']:.2f} |"
        f" {row['down']:.2f} | {row['fps']:.0f} | {row['height']:.0f} |"
        f"{' the machine is full' if row['busy'] > SATURATED else ''} |"
        if "cpu" in row
        else f"| {row['people']:.0f} | | | | | | | not all connected within {CONNECTED_S} s |"
        for row in rows
    ]
    return "\n".join(
        [
            "# A mesh of two to eight",
            "",
            f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by `make bench-mesh`; Chromium"
            f" {chromium} with fake cameras of 1280 × 720, encoding and decoding in software,"
            f" everyone on one machine: {machine()}.",
            "",
            "For each person, medians over them: processor cores, megabits a second up and down,"
            " pictures a second of each of the others, and how high these are.",
            "",
            "| people | cores | of the machine | up | down | pictures | lines | |",
            "|---|---|---|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


def plot(rows: list[Row]) -> None:
    """Draw three curves over the number of people.

    Sizes that filled the machine are grey.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    people = [row["people"] for row in rows]
    full = [row["people"] for row in rows if row["busy"] > SATURATED]
    for axis, (title, names) in zip(
        axes,
        {
            "cores a person": ["cpu"],
            "Mbit/s a person": ["up", "down"],
            "pictures a second of each": ["fps"],
        }.items(),
        strict=True,
    ):
        for name in names:
            axis.plot(people, [row[name] for row in rows], marker="o", label=name)
        if full:
            axis.axvspan(min(full) - 0.5, max(full) + 0.5, color="0.92", zorder=0)
        axis.set(title=title, xlabel="people in the call", xticks=people)
        axis.set_ylim(bottom=0)
        if len(names) > 1:
            axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(PLOT, dpi=110)


def measure_all(sizes: list[int], kept: dict[str, Row], seconds: float) -> str:
    """Measure these sizes, into `kept`; return Chromium's version."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        noom = Production(Path(folder))
        noom.start()
        try:
            sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = playwright.chromium.launch(
                executable_path=installed(*CHROMIUMS), args=[*FAKE_DEVICES, *sandbox]
            )
            for people in sizes:
                try:
                    kept[str(people)] = measure(browser, noom.url, people, seconds)
                except AssertionError:  # this machine is too slow for so many
                    kept[str(people)] = {"people": people}
            version = browser.version
            browser.close()
        finally:
            noom.stop()
    return version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, help="all from 2 to 8, if none is named")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one measurement")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    again = bool(options.sizes) and KEPT.exists() and not options.no_write
    kept: dict[str, Row] = json.loads(KEPT.read_text()) if again else {}
    version = measure_all(options.sizes or list(range(2, 9)), kept, options.seconds)
    rows = sorted(kept.values(), key=lambda row: row["people"])
    text = report(rows, version)
    sys.stdout.write(text)
    if not options.no_write:
        KEPT.write_text(json.dumps(kept))
        RESULTS.write_text(text)
        plot([row for row in rows if "cpu" in row])


if __name__ == "__main__":
    main()
