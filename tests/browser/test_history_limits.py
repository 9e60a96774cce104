"""A page whose socket may read little at a time still gets all that was said."""

from functools import partial
from urllib.request import urlopen

import pytest

from tests.support.servers.message_rows import fill
from tests.support.waiting import until

FIRST, LAST = "text 1", "text 320"
TEXTS = "[...document.querySelectorAll('#messages .message-text')].map(text => text.textContent)"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return tmp_path_factory.mktemp("budgets") / "noom.sqlite3"


@pytest.fixture(scope="module")
def noom(start_noom, database):
    # Five seconds' worth is one answer of a hundred messages.
    return start_noom(DATABASE_URL=f"sqlite:///{database}", HISTORY_KB_PER_S="5")


def test_page_repeats_a_history_request_refused_as_too_fast(people, noom, database):
    first = people.enter("First", "long")
    first.goto("about:blank")
    fill(database, "long", 320)
    nova = people.enter("Nova", "long")
    until(lambda: nova.evaluate(TEXTS)[-1:] == [LAST], "the newest messages")

    while (before := nova.evaluate(TEXTS)[0]) != FIRST:
        nova.click("#earlier")
        until(partial(_differs, nova, before), "earlier messages", seconds=30)
    assert nova.evaluate(TEXTS) == [f"text {seq}" for seq in range(1, 321)]
    with urlopen(f"{noom.url}/metrics") as answer:
        assert b'noom_errors_total{code="too_fast"}' in answer.read(), "nothing was refused"


def _differs(page, first):
    return page.evaluate(TEXTS)[0] != first
