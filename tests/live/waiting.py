"""Waiting for a state with a deadline, in this process and in a page."""

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

EVERY_S = 0.05

Value = TypeVar("Value")


class Evaluates(Protocol):
    """A page of any browser: runs JavaScript and returns its JSON value."""

    def evaluate(self, expression: str, arg: Any = None, /) -> Any: ...


def until(check: Callable[[], Value], what: str, *, seconds: float = 10) -> Value:
    """The first truthy value of `check`; fails with `what` was awaited, and with what came."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}; last saw {value!r}"
        time.sleep(EVERY_S)
    return value


def until_page(
    page: Evaluates, expression: str, arg: Any = None, *, seconds: float = 10, what: str = ""
) -> Any:
    """The first truthy value of a JavaScript expression, or function of `arg`, in a page.

    Playwright's own `wait_for_function` polls by `eval`, which our Content-Security-Policy forbids.
    """
    return until(lambda: page.evaluate(expression, arg), what or expression, seconds=seconds)
