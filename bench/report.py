"""bench/results.md: ratios first, then their figures, and the machine."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from bench.growth import Rows, marginal_us
from bench.machine import machine
from bench.servers import PEERS
from tests.support.node import node
from tests.support.servers.dev_server import ROOT

RESULTS = ROOT / "bench" / "results.md"
Found = Mapping[tuple[str, str, str, str], list[float]]  # setup, shape, server, figure: by round
Growth = Mapping[str, Rows]
# Setup, shape, figure, unit, and the highest ratio to the peer's figure.
TARGETS = [
    ("one process", "10 × 50", "us_per_delivery", "µs CPU a delivery", 1.0),
    ("one process", "1 × 1000", "us_per_delivery", "µs CPU a delivery", 1.0),
    ("two processes joined by Redis", "10 × 50", "us_per_delivery", "µs CPU a delivery", 1.0),
    ("two processes joined by Redis", "1 × 1000", "us_per_delivery", "µs CPU a delivery", 1.0),
    ("two processes joined by Redis", "100 × 5", "us_per_delivery", "µs CPU a delivery", 2.5),
    ("one process", "50 messages/s", "p99_ms", "ms, p99", 3.0),
]
GROWN = {
    "us_per_delivery": "µs CPU a delivery",
    "deliveries_per_s": "deliveries/s",
    "published": "PUBLISH a message",
}
PACKAGES = ("channels-redis", "redis", "hiredis", "twisted", "autobahn")


def page(
    found: Found, idles: Mapping[str, Mapping[str, float]], grown: Growth, *, rounds: int
) -> str:
    """Return the page."""
    parts = [
        "# Noom beside Socket.IO\n",
        "Written by `make bench` (bench/chat.py says how it measures). Noom stores each message "
        f"before it acknowledges it; Socket.IO stores nothing. Medians of {rounds} "
        "rounds, in which the two took turns; a ratio is the median of the rounds' ratios.\n",
        _versions(),
        "## Ratios\n",
        _table(["", "", "Noom", "Socket.IO", "ratio", "at most"], _ratios(found)),
        "## Idle\n",
        _table(["", "Noom", "Socket.IO"], _idle(idles)),
        "## Growth (Noom)\n",
        "Processes are joined by Redis, with ten rooms of fifty, and share one core.\n",
        _table(["", "", *GROWN.values()], _growth(grown)),
        "The cost of one more person in a room for a message:\n",
        _table(["people", "µs CPU"], _marginal(grown["people in a room"])),
        "## Everything\n",
        _table(["", "", "", "Noom", "Socket.IO"], _everything(found)),
    ]
    return "\n".join(parts)


def _ratios(found: Found) -> list[list[str]]:
    rows = []
    for setup, shape, figure, unit, most in TARGETS:
        if (setup, shape, "noom", figure) not in found:
            continue
        ours, theirs = (found[setup, shape, who, figure] for who in ("noom", "peer"))
        ratio = median(our / their for our, their in zip(ours, theirs, strict=True))
        row = [f"{setup}, {shape}", unit, f"{median(ours):.1f}", f"{median(theirs):.1f}"]
        rows.append([*row, f"**{ratio:.2f}**", f"{most:.1f}"])
    return rows


def _idle(idles: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    names = {
        "kib_per_socket": "KiB of server memory a socket",
        "accepted_per_s": "sockets accepted a second",
        "storm_s": "s until 5,000 are back after a restart",
    }
    return [
        [name, *(f"{idles[who][figure]:.1f}" for who in ("noom", "peer"))]
        for figure, name in names.items()
    ]


def _growth(grown: Growth) -> list[list[str]]:
    return [
        [name, str(size), *(f"{figures.get(figure, 0):,.1f}" for figure in GROWN)]
        for name, rows in grown.items()
        for size, figures in rows
    ]


def _marginal(rows: Rows) -> list[list[str]]:
    return [[step, f"{cost:.2f}"] for step, cost in marginal_us(rows)]


def _everything(found: Found) -> list[list[str]]:
    places = dict.fromkeys((setup, shape, figure) for setup, shape, _, figure in found)
    return [
        [
            *(setup, shape, figure),
            *(f"{median(found[setup, shape, who, figure]):,.2f}" for who in ("noom", "peer")),
        ]
        for setup, shape, figure in places
    ]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _versions() -> str:
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    lock = json.loads((PEERS / "package-lock.json").read_text())["packages"]
    peer = lock["node_modules/socket.io"]["version"]
    js = subprocess.run([node(), "--version"], capture_output=True, text=True).stdout.strip()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return f"{today}: {machine()}, {packages}; Node.js {js}, Socket.IO {peer}.\n"
