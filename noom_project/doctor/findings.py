"""The result of one check of the doctor, and its text."""

import textwrap
from collections.abc import Awaitable, Callable
from typing import NamedTuple

WIDTH = 100
CHECK_S = 30.0  # for one check, then it fails; each of its steps has a shorter limit


class Finding(NamedTuple):
    """One result: `told` says what holds or what failed, with the wrong value."""

    what: str
    told: str
    why: str = ""
    advice: str = ""
    state: str = "ok"  # or "wrong", or "skipped"


Check = Callable[[], Awaitable[Finding]]


def wrong(what: str, told: str, why: str, advice: str) -> Finding:
    """Returns a finding that makes the doctor's exit code 1."""
    return Finding(what, told, why, advice, "wrong")


def skipped(what: str, told: str) -> Finding:
    """Returns the finding of a check without anything to check."""
    return Finding(what, told, state="skipped")


def text(finding: Finding) -> str:
    """Returns one line, with two more for a failed check."""
    mark = {"ok": "ok      ", "wrong": "WRONG   ", "skipped": "skipped "}[finding.state]
    lines = [f"{mark}{finding.what}: {finding.told}"]
    lines += [f"Why: {finding.why}"] if finding.why else []
    lines += [f"Do:  {finding.advice}"] if finding.advice else []
    filled = [textwrap.fill(line, WIDTH, subsequent_indent="     ") for line in lines]
    return textwrap.indent("\n".join(filled), " " * len(mark)).lstrip()


def words(error: BaseException) -> str:
    """Returns the first line of an error; a database puts rows into the others."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
