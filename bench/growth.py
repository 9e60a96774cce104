"""The cost of chat as people in a room, rooms and processes grow.

`make bench` draws it: CPU time of the servers for each message and for each delivery, and the
number of Redis commands. The processes share one core, so the curves show the price of joining
processes, not their strength.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from bench import servers
from bench.servers import Running
from tests.support.servers.dev_server import ROOT

PLOT = ROOT / "docs" / "chat.png"
Figures = dict[str, float]
Measure = Callable[[Running, int, int], Figures]
Rows = list[tuple[int, Figures]]


@dataclass(frozen=True)
class Sizes:
    """The sizes to which each thing grows."""

    people: list[int]  # in one room
    rooms: list[int]  # of five people
    processes: list[int]  # joined by Redis
    joined: tuple[int, int] = (10, 50)  # rooms, and people in each


def measured(measure: Measure, sizes: Sizes) -> dict[str, Rows]:
    """Return the rows of (size, figures), by the thing that grows."""
    with servers.noom() as server:
        people = [(size, measure(server, 1, size)) for size in sizes.people]
    with servers.noom() as server:
        rooms = [(size, measure(server, size, 5)) for size in sizes.rooms]
    processes = []
    for size in sizes.processes:
        with servers.noom(size, joined=True) as server:
            processes.append((size, measure(server, *sizes.joined)))
    return {"people in a room": people, "rooms of five": rooms, "processes": processes}


def marginal_us(rows: Rows) -> list[tuple[str, float]]:
    """Return the cost of one more person for a message, between two sizes, in µs."""
    steps = []
    for (few, small), (many, large) in pairwise(rows):
        cost = large["us_per_delivery"] * many - small["us_per_delivery"] * few
        steps.append((f"{few} to {many}", cost / (many - few)))
    return steps


def plot(grown: dict[str, Rows]) -> None:
    """Draw one picture for each thing that grows."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(grown), figsize=(11, 3.4), layout="constrained")
    for axis, (name, rows) in zip(axes, grown.items(), strict=True):
        sizes = [size for size, _ in rows]
        axis.plot(sizes, _column(rows, "us_per_delivery"), marker="o")
        if sizes[-1] > 10 * len(sizes):
            axis.set_xscale("log")
        axis.set(xlabel=name, ylabel="µs of CPU a delivery", xticks=sizes, xticklabels=sizes)
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(PLOT, dpi=110)


def _column(rows: Rows, figure: str) -> Iterable[float]:
    return [figures[figure] for _, figures in rows]
