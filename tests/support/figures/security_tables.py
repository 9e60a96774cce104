"""The permission tables of SECURITY.md, as rows that a test can check."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.support.servers.dev_server import ROOT


class Cell(NamedTuple):
    """An action of a person at an address, and its result."""

    what: str
    who: str
    outcome: str


def cells(heading: str) -> list[Cell]:
    """Return the cells of the table below a heading.

    A row that names several messages stands for each of them.
    """
    text = (ROOT / "SECURITY.md").read_text()
    section = re.split(r"^#+ ", text.split(f"\n### {heading}\n")[1], maxsplit=1, flags=re.M)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    people = _split(lines[0])[1:]
    return [cell for line in lines[2:] for cell in _cells(_split(line), people)]


def _split(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _cells(row: list[str], people: list[str]) -> Iterator[Cell]:
    for what in re.findall(r"`([^`]+)`", row[0]) or [row[0]]:
        for who, outcome in zip(people, row[1:], strict=True):
            yield Cell(what, who, outcome.strip("`"))
