"""The page shows a server error with a reference, and the log has the same."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing

from playwright.sync_api import Page

from tests.support.servers.dev_server import Noom
from tests.support.servers.logs import failures
from tests.support.waiting import until


def test_unstored_message_shows_a_reference(noom: Noom, person: Callable[..., Page]):
    nova, mira = person("Nova", "failing"), person("Mira", "failing")
    rename(noom, "chat_message", "gone")
    nova.fill("form#msg [name=text]", "to be stored")
    nova.press("form#msg [name=text]", "Enter")
    found = until(lambda: re.search(r"reference ([\w-]{12})\)", nova.inner_text("#notice")), "it")
    assert found
    lines = [line for line in noom.log.splitlines() if f"reference={found[1]}" in line]
    assert len(lines) == 1
    assert "OperationalError" in noom.log.partition(lines[0])[2].splitlines()[1]
    assert [found[1] in failure for failure in failures(noom.log)] == [True]
    assert mira.locator("#notice").is_hidden()
    rename(noom, "gone", "chat_message")
    nova.fill("form#msg [name=text]", "and on")
    nova.press("form#msg [name=text]", "Enter")
    until(lambda: "and on" in mira.inner_text("#messages"), "the next message")


def rename(noom: Noom, name: str, other: str) -> None:
    path = noom.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"ALTER TABLE {name} RENAME TO {other}")
