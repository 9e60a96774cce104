"""People at home: each has a Chromium in a network namespace of its own."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from tests.conftest import CHROMIUMS, installed
from tests.support.browsers.users import FAKE_DEVICES, Users
from tests.support.servers.dev_server import Noom
from tests.support.servers.network_namespaces import Namespace


class ReachableNoom(Noom):
    """A Noom at an address that clients outside this machine's loopback can reach."""

    def __init__(self, folder: Path, host: str, **environment: str) -> None:
        super().__init__(folder, ALLOWED_HOSTS=f"{host},127.0.0.1", **environment)
        self._host, self.url = host, f"http://{host}:{self.port}"

    def _run(self, *arguments: str) -> Any:
        here = f"{self._host}:{self.port}"
        return super()._run(*(here if word == str(self.port) else word for word in arguments))


@contextmanager
def two_homes() -> Iterator[list[Namespace]]:
    """Create two namespaces that reach the gate of the first one, but not each other."""
    with ExitStack() as closings:
        both = [Namespace(), Namespace()]
        for home in both:
            closings.callback(home.close)
            home.open()
            home.reaches(both[0].gate)
        yield both


def people_at(
    home: Namespace | None, url: str, browser: Browser, *, folder: Path, closings: ExitStack
) -> Users:
    """Open people in a Chromium in this namespace or on this machine.

    `closings` closes them.
    """
    program = installed(*CHROMIUMS)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    # Chromium resolves no names of its own services: the tests reach addresses only.
    resolver = f"MAP * ~NOTFOUND, EXCLUDE {urlsplit(url).hostname}"
    own = [f"--unsafely-treat-insecure-origin-as-secure={url}", f"--host-resolver-rules={resolver}"]
    chromium = browser.browser_type.launch(
        executable_path=home.wrap(program, folder) if home else program,
        args=[*FAKE_DEVICES, *sandbox, *own],
    )
    closings.callback(chromium.close)
    people = Users(chromium, url)
    closings.callback(people.leave)
    return people
