"""A page of a real Firefox, driven by firefox.mjs.

Playwright drives only a Firefox of its own build.
"""

import json
import subprocess
from itertools import count
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from tests.support.node import node
from tests.support.patience import PATIENCE

DRIVER = Path(__file__).with_name("firefox.mjs")
ANSWER_S = 60 * PATIENCE


class FirefoxError(AssertionError):
    """An error that the driver or the page returned instead of a value."""


class Firefox:
    """One Firefox with one page; it allows a fake camera and microphone."""

    def __init__(self, executable: str, log: Path) -> None:
        self._ids = count(1)
        self._answers: Queue[str] = Queue()
        self._log = log
        with log.open("ab") as errors:
            self._node = subprocess.Popen(
                [node(), str(DRIVER), executable],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def goto(self, url: str) -> None:
        self._ask("goto", url)

    def evaluate(self, expression: str, arg: Any = None, /) -> Any:
        """Return the JSON value of a JavaScript expression or function of `arg`.

        It awaits promises.
        """
        return self._ask("evaluate", expression, arg)

    def click(self, selector: str) -> None:
        self._ask("click", selector)

    def type(self, selector: str, text: str) -> None:
        self._ask("type", selector, text)

    @property
    def errors(self) -> list[str]:
        """Return the errors that the page logged or threw since it was opened."""
        return list(self._ask("errors"))

    @property
    def origins(self) -> set[str]:
        """Return every origin to which the page has sent a request."""
        return set(self._ask("origins"))

    def close(self) -> None:
        """End the browser; kill the driver if it does not exit."""
        try:
            if self._node.poll() is None:
                self._ask("close")
        finally:
            self._node.kill()
            self._node.wait()
            self._reader.join()
            for pipe in (self._node.stdin, self._node.stdout):
                assert pipe
                pipe.close()

    def _read(self) -> None:
        assert self._node.stdout
        for line in self._node.stdout:
            self._answers.put(line)
        self._answers.put("")  # the driver has exited

    def _ask(self, method: str, *args: Any) -> Any:
        assert self._node.stdin
        number = next(self._ids)
        self._node.stdin.write(json.dumps({"id": number, "method": method, "args": args}) + "\n")
        while True:
            try:
                line = self._answers.get(timeout=ANSWER_S)
            except Empty:
                raise FirefoxError(f"{method} took more than {ANSWER_S} s") from None
            if not line:
                raise FirefoxError(f"ended before it answered {method}:\n{self._log.read_text()}")
            answer = json.loads(line)
            # another number is a late answer to a question that timed out
            if answer["id"] == number:
                break
        if "error" in answer:
            raise FirefoxError(f"{method}: {answer['error']}")
        return answer["value"]
