"""Deleted messages leave open pages, from those that were away, and from a new room."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.test_chat import is_titled, say, sees, texts
from tests.support.browsers.users import Users
from tests.support.clients.admin_client import Admin
from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import START_S, Noom
from tests.support.servers.message_rows import FORGET
from tests.support.waiting import until

# Chromium's "offline" leaves open sockets alone; the page's own record of them is for `away`.
RECORD_SOCKETS = """
  window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...options) { super(...options); window.sockets.push(this); }
  };
"""
LONG_AGO = "2001-01-01 00:00:00"


@pytest.fixture(scope="module")
def admin(noom: Noom) -> Admin:
    return Admin(noom)


@pytest.fixture
def person(people: Users) -> Callable[[str, str], Page]:
    """`person(nickname, room)`: a page in the room, whose line can go away."""

    def enter(nickname: str, room: str) -> Page:
        page = people.page(nickname)
        page.add_init_script(RECORD_SOCKETS)
        page.goto(f"/rooms/{room}/?nickname={nickname}", wait_until="domcontentloaded")
        until(
            lambda: page.get_attribute("#connection", "data-state") == "open",
            "the line",
            seconds=30,
        )
        return page

    return enter


def ask(noom: Noom, query: str, *values: Any) -> Any:
    path = Path(noom.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        return connection.execute(query, values).fetchone()


@contextmanager
def away(page: Page) -> Iterator[None]:
    """The page's line is down meanwhile."""
    page.context.set_offline(True)
    page.evaluate("sockets.forEach((socket) => socket.close())")
    until(lambda: page.get_attribute("#connection", "data-state") != "open", "the line to be down")
    yield
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    until(lambda: page.get_attribute("#connection", "data-state") == "open", "open", seconds=30)


def delete_by_admin(noom: Noom, admin: Admin, text: str) -> None:
    (pk,) = ask(noom, "SELECT id FROM chat_message WHERE text = ?", text)
    admin.post(f"/admin/chat/message/{pk}/delete/", post="yes")


def delete_by_retention(noom: Noom, admin: Admin, text: str) -> None:
    ask(noom, "UPDATE chat_message SET sent_at = ? WHERE text = ?", LONG_AGO, text)
    forget = noom._run("shell", "-c", FORGET)
    assert forget.wait(START_S * PATIENCE) == 0, noom.log


@pytest.mark.parametrize("delete", [delete_by_admin, delete_by_retention])
def test_deleted_message_disappears_from_open_and_returning_pages(
    person, people, noom, admin, delete
):
    people.expected_errors.append("ERR_INTERNET_DISCONNECTED")
    room = delete.__name__.replace("_", "-")
    kept, first, second = f"kept by {room}", f"first by {room}", f"second by {room}"
    nova, mira, kim = (person(name, room) for name in ("Nova", "Mira", "Kim"))
    for text in (kept, first, second):
        say(nova, text)
    for page in (nova, mira, kim):
        sees(page, kept, first, second)
    delete(noom, admin, first)
    for page in (nova, mira, kim):
        sees(page, kept, second, seconds=20)
    with away(kim):
        delete(noom, admin, second)
        for page in (nova, mira):
            sees(page, kept, seconds=20)
        assert texts(kim) == [kept, second]
    sees(kim, kept, seconds=20)
    say(mira, "and on")
    for page in (nova, mira, kim):
        sees(page, kept, "and on")


def test_new_room_shows_nothing_of_the_old_to_a_page_that_returns(person, people, noom, admin):
    people.expected_errors.append("ERR_INTERNET_DISCONNECTED")
    nova = person("Nova", "again")
    for number in range(3):
        say(nova, f"old {number}")
    sees(nova, "old 0", "old 1", "old 2")
    # One that nobody has stored yet would be sent into the new room, as it should.
    until(lambda: nova.locator(".message[data-state=sending]").count() == 0, "their acks")
    (pk, old_epoch) = ask(noom, "SELECT id, epoch FROM chat_room WHERE key = 'again'")
    new = [f"new {number}" for number in range(5)]
    with away(nova):
        admin.post(f"/admin/chat/room/{pk}/delete/", post="yes")
        until(lambda: ask(noom, "SELECT 1 FROM chat_room WHERE key = 'again'") is None, "its end")
        mira = person("Mira", "again")
        for text in new:
            say(mira, text)
        sees(mira, *new)
        (epoch,) = ask(noom, "SELECT epoch FROM chat_room WHERE key = 'again'")
        assert epoch != old_epoch
        assert texts(nova) == ["old 0", "old 1", "old 2"]
    sees(nova, *new, seconds=20)
    for page in (nova, mira):
        is_titled(page, "again (2)")
        say(page, "and on")
    for page in (nova, mira):
        sees(page, *new, "and on", "and on", seconds=20)
