"""The table of docs/reliability.md from the figures of `make reliability`.

The worst figure counts.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from tests.support.figures.targets import TARGETS

BEGIN = "<!-- `make reliability` writes from here -->"
END = "<!-- to here -->"
PACKAGES = ("Django", "channels", "channels-redis", "daphne", "redis")
PROGRAMS = ("redis-server", "/usr/lib/postgresql/*/bin/postgres", "chromium")
HEAD = "| | what | limit | worst | held | date |\n|---|---|---|---|---|---|"


class Figure(msgspec.Struct, frozen=True, tag="figure"):
    """One measurement, and its limit."""

    target: str
    what: str
    value: float
    limit: float
    unit: str

    def misses(self, *, judging_speed: bool) -> bool:
        """Return whether the figure fails its test.

        A count fails above its limit. A figure with a unit depends on the machine, and fails only
        in a run that judges speed.
        """
        above = not self.value <= self.limit  # NaN fails, too
        return above and (judging_speed or not self.unit)


class Run(msgspec.Struct, frozen=True, tag="run"):
    """The end of one test in one run."""

    target: str
    test: str
    held: bool


Note = Figure | Run


def note(path: Path, what: Note) -> None:
    """Append one line; several processes may do so at once."""
    with path.open("ab") as file:
        file.write(msgspec.json.encode(what) + b"\n")


def read(path: Path) -> list[Note]:
    return [msgspec.json.decode(line, type=Note) for line in path.read_bytes().splitlines()]


def write(document: str, notes: Iterable[Note], today: date) -> str:
    """Return the document with the targets of these notes renewed.

    Other targets keep their rows.
    """
    before, rest = document.split(BEGIN)
    old, after = rest.split(END)
    sections = _sections(old) | _new_sections(list(notes), today)
    known = [target for target in TARGETS if target in sections]
    table = "\n".join([HEAD, *(line for target in known for line in sections[target])])
    body = f"{table}\n\n{_with_what(today)}" if known else "Nothing has been measured yet."
    return f"{before}{BEGIN}\n\n{body}\n\n{END}{after}"


def _sections(table: str) -> dict[str, list[str]]:
    """Return the rows of each target; the first row of a target names it."""
    sections: dict[str, list[str]] = {}
    rows: list[str] = []
    for line in table.splitlines():
        if named := re.match(r"\| \*\*(\w+)\*\* ", line):
            rows = sections.setdefault(named[1], [])
        if line.startswith("| "):
            rows.append(line)
    return sections


def _new_sections(notes: list[Note], today: date) -> dict[str, list[str]]:
    return {
        target: [
            f"| **{target}** | **{TARGETS[target]}** | | | {_held(target, notes)} | {today} |",
            *(_row(what, figures) for what, figures in _figures(target, notes).items()),
        ]
        for target in {note.target for note in notes}
    }


def _figures(target: str, notes: list[Note]) -> dict[str, list[Figure]]:
    """Return the figures of a target by their names, in the order of arrival."""
    found: dict[str, list[Figure]] = {}
    for figure in notes:
        if isinstance(figure, Figure) and figure.target == target:
            found.setdefault(figure.what, []).append(figure)
    return found


def _row(what: str, figures: list[Figure]) -> str:
    worst = max(figures, key=lambda figure: figure.value)
    held = sum(figure.value <= figure.limit for figure in figures)
    limit, value = (_amount(number, worst.unit) for number in (worst.limit, worst.value))
    return f"| | {what} | {limit} | {value} | {held} of {len(figures)} | |"


def _amount(number: float, unit: str) -> str:
    """Format a number with three digits, or as a whole number."""
    return f"{number:,.0f} {unit}".strip() if number >= 100 else f"{number:.3g} {unit}".strip()


def _held(target: str, notes: list[Note]) -> str:
    """Return how often every test of a target has held."""
    tests: dict[str, list[bool]] = {}
    for run in notes:
        if isinstance(run, Run) and run.target == target:
            tests.setdefault(run.test, []).append(run.held)
    worst = min(tests.values(), key=lambda ends: sum(ends) / len(ends), default=[])
    return f"{sum(worst)} of {len(worst)}"


def _with_what(today: date) -> str:
    """Describe the machine and the versions of the last run."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{package} {version(package)}" for package in PACKAGES]
    versions += [answer for program in PROGRAMS if (answer := _version(program))]
    machine = f"{os.cpu_count()} cores, {memory:.0f} GB, Linux {platform.release()}"
    return f"Last run on {today}: {', '.join(versions)}; {machine}."


def _version(program: str) -> str:
    installed = sorted(str(path) for path in Path("/").glob(program.lstrip("/")))
    path = installed[-1] if installed else shutil.which(program)
    if path is None:
        return ""
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    number = re.search(r"\d+\.[\d.]+\d", answer.stdout)
    return f"{Path(program).name} {number[0]}" if number else ""


def main(figures: Path, document: Path) -> None:
    document.write_text(write(document.read_text(), read(figures), datetime.now(UTC).date()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
