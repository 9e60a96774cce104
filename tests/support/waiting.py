"""Waits for a state with a deadline, in this process and in a page."""

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from tests.support.patience import PATIENCE

EVERY_S = 0.05

Value = TypeVar("Value")


class Evaluates(Protocol):
    """A page of any browser: runs JavaScript and returns its JSON value."""

    def evaluate(self, expression: str, arg: Any = None, /) -> Any: ...


def until(check: Callable[[], Value], what: str, *, seconds: float = 10) -> Value:
    """Return the first truthy value of `check`; fail with `what`, and the last value.

    `seconds` is the need of an idle machine; a busy one has PATIENCE times as long.
    """
    start = time.monotonic()
    while not (value := check()):
        waited_s = time.monotonic() - start
        if waited_s > seconds * PATIENCE:
            raise AssertionError(f"waited {waited_s:.1f} s for {what}; last saw {value!r}")
        time.sleep(EVERY_S)
    return value


def until_page(
    page: Evaluates, expression: str, arg: Any = None, *, seconds: float = 10, what: str = ""
) -> Any:
    """Return the first truthy value of a JavaScript expression or function in a page.

    A function receives `arg`. Playwright's own `wait_for_function` polls by `eval`, which Noom's
    Content-Security-Policy forbids.
    """
    return until(lambda: page.evaluate(expression, arg), what or expression, seconds=seconds)
