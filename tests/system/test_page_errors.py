"""Noticing what goes wrong in a page, without which no test in a browser would mean much."""

import pytest
from playwright.sync_api import Browser

from tests.support.browsers.users import Users
from tests.support.servers.dev_server import Noom
from tests.support.waiting import until, until_page


@pytest.fixture
def people(noom: Noom, browser: Browser) -> Users:
    """Not seen off by a fixture, since these tests want to see it fail."""
    return Users(browser, noom.url)


@pytest.mark.parametrize(
    ("mistake", "noticed"),
    [
        ("setTimeout(() => { throw new Error('broken'); })", "broken"),
        ("Promise.reject(new Error('forgotten')) && null", "forgotten"),
        ("console.error('complaint')", "complaint"),
        ("new Image().src = '/static/missing.png'", "404"),
        ("void window.open('http://stranger.example/')", "stranger.example"),
    ],
)
def test_page_error_fails_the_test(people: Users, mistake: str, noticed: str):
    page = people.page("Ann")
    page.goto("/")
    page.evaluate(mistake)
    until(lambda: page.title() and people.errors, "an error to be noticed")
    with pytest.raises(AssertionError, match=f"Ann: .*{noticed}"):
        people.leave()


def test_page_without_errors_passes(people: Users):
    page = people.page("Ann")
    page.goto("/")
    until_page(page, "id => document.getElementById(id)?.id", "welcome")
    people.leave()


def test_timed_out_wait_names_its_condition(people: Users):
    page = people.page("Ann")
    page.goto("/")
    with pytest.raises(AssertionError, match="s for a miracle; last saw 0"):
        until_page(page, "0", what="a miracle", seconds=0.2)
    people.leave()
