"""Noom's chat beside Socket.IO's, in one run: `make bench` writes bench/results.md.

Servers on one core, the load on the other; each measurement in turn, several rounds, medians. Noom
stores every message before it acknowledges it; Socket.IO stores nothing.
"""

import argparse
import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from bench import servers

servers.set_up_django()

from bench import growth, report  # noqa: E402 - needs the key
from bench.meters import memory_kb  # noqa: E402
from bench.servers import OTHER_CORE, Running  # noqa: E402
from chat import tokens  # noqa: E402
from tests.support.servers.dev_server import ROOT  # noqa: E402
from tests.support.servers.production import gather_static_files  # noqa: E402

Figures = dict[str, float]
Server = Callable[[], AbstractContextManager[Running]]


@dataclass(frozen=True)
class Size:
    """The amount of measurement."""

    at_rate: tuple[int, int]  # rooms, and people in each
    shapes: list[tuple[int, int]]
    idle: tuple[int, int]
    grown: growth.Sizes
    plan: dict[str, Any]  # of each load


FULL = Size(
    at_rate=(10, 50),
    shapes=[(10, 50), (1, 1000), (100, 5)],
    idle=(100, 50),
    grown=growth.Sizes([10, 30, 100, 300, 1000], [10, 30, 100, 300], [1, 2, 3, 4]),
    plan={},
)
# A quick check, in a minute, that everything runs; its figures mean nothing.
SMALL = Size(
    at_rate=(2, 5),
    shapes=[(2, 5)],
    idle=(4, 5),
    grown=growth.Sizes([2, 4], [2], [2], (2, 5)),
    plan={"warm_up": 0.2, "rests": False},
)


class Setup(NamedTuple):
    """Two servers that are compared under equal circumstances."""

    name: str
    noom: Server
    peer: Server


EMBEDDED = Setup("one process", servers.noom, servers.socketio)
JOINED = Setup(
    "two processes joined by Redis",
    lambda: servers.noom(2, joined=True),
    lambda: servers.socketio(2, joined=True),
)


def load(server: Running, rooms: int, people: int, **plan: Any) -> "subprocess.Popen[str]":
    """Start the load on a server, in unused rooms."""
    keys = [f"bench-{secrets.token_hex(6)}" for _ in range(rooms)]
    process = subprocess.Popen(
        ["taskset", "-c", str(OTHER_CORE), sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    whole = {
        "dialect": server.dialect,
        "ports": server.ports,
        "pids": server.pids,
        "redis": server.redis.port if server.redis else 0,
        "rooms": rooms,
        "people": people,
        "keys": keys,
        "tokens": [[_token(key) for _ in range(people)] for key in keys],
        **plan,
    }
    process.stdin.write(json.dumps(whole) + "\n")
    process.stdin.flush()
    return process


def _token(key: str) -> str:
    return tokens.issue(key=key, browser="bench", room_name=key)


def measure(server: Running, rooms: int, people: int, **plan: Any) -> Figures:
    """Return the records of a load, once it has ended."""
    process = load(server, rooms, people, **plan)
    output, _ = process.communicate(timeout=180)
    if process.returncode:
        raise SystemExit(f"the load on {server.dialect} failed")
    figures: Figures = json.loads(output.splitlines()[-1])
    return figures


def shapes(setup: Setup, size: Size, seconds: float) -> Iterator[tuple[str, str, Figures]]:
    """Yield (shape, server, figures).

    A fixed rate, then saturation in rooms of several sizes.

    One server follows right after the other, because a machine is now faster, now slower.
    """
    with setup.noom() as noom, setup.peer() as peer:
        servers = {"noom": noom, "peer": peer}
        for who, server in servers.items():
            plan = {"seconds": 2 * seconds, "rate": 50, **size.plan}
            yield "50 messages/s", who, measure(server, *size.at_rate, **plan)
        for rooms, people in size.shapes:
            plan = {"seconds": seconds, **size.plan}
            for who, server in servers.items():
                yield f"{rooms} × {people}", who, measure(server, rooms, people, **plan)


def idle(opened: Server, size: Size) -> Figures:
    """Measure idle sockets: their memory, and the time of all to reconnect.

    They reconnect after a restart of the server.
    """
    with opened() as server:
        before = memory_kb(server.pids)
        process = load(server, *size.idle, storm=True)
        assert process.stdin
        assert process.stdout
        accepted = json.loads(process.stdout.readline())["accepted_per_s"]
        used = memory_kb(server.pids) - before
        for noom in server.processes:
            noom.restart()
            servers.pin(noom.pid, servers.SERVER_CORE)
        output, _ = process.communicate("now\n", timeout=120)
        storm = json.loads(output.splitlines()[-1])["storm_s"]
    sockets = prod(size.idle)
    return {"kib_per_socket": used / sockets, "accepted_per_s": accepted, "storm_s": storm}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of one measurement")
    parser.add_argument("--small", action="store_true", help="a minute, whose figures mean nothing")
    options = parser.parse_args()
    size = SMALL if options.small else FULL
    gather_static_files(servers.NOOM)
    found: dict[tuple[str, str, str, str], list[float]] = {}
    for number in range(options.rounds):
        for setup in (EMBEDDED, JOINED):
            for shape, who, figures in shapes(setup, size, options.seconds):
                print(number + 1, setup.name, shape, who, figures, flush=True)
                for figure, value in figures.items():
                    found.setdefault((setup.name, shape, who, figure), []).append(value)
    idles = {"noom": idle(servers.noom, size), "peer": idle(servers.socketio, size)}
    plan = {"seconds": options.seconds, **size.plan}
    grown = growth.measured(
        lambda server, rooms, people: measure(server, rooms, people, **plan), size.grown
    )
    text = report.page(found, idles, grown, rounds=options.rounds)
    sys.stdout.write(text)
    if not options.small:
        growth.plot(grown)
        report.RESULTS.write_text(text)


if __name__ == "__main__":
    main()
