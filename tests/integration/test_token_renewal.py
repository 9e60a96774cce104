"""Returns after a long time, and the pages that may."""

import time

import pytest

from chat import tokens
from chat.protocol import close_codes
from chat.protocol.codec import VERSION

PATHS = ("/ws/chat/team/", "/ws/call/team/")
MAX_AGE_S = 100


@pytest.fixture
def later(monkeypatch, settings):
    """`later(seconds)`: the time since the test's start by which tokens are judged."""
    settings.TOKEN_MAX_AGE_S = MAX_AGE_S
    start = time.time()

    def later(seconds: float) -> None:
        monkeypatch.setattr("django.core.signing.time.time", lambda: start + seconds)

    return later


async def test_renewed_token_outlives_the_old_one(enter, later):
    nova = await enter("Nova", "team")
    later(0.6 * MAX_AGE_S)
    renewed = (await nova.request("renew_token"))["token"]
    later(1.2 * MAX_AGE_S)
    with pytest.raises(tokens.BadToken):
        tokens.verify(nova.token, key="team")
    again = await enter("Nova", "team", token=renewed)
    assert again.hello["you"] == nova.hello["you"]


async def test_renewed_token_speaks_for_the_same_browser_in_the_same_room(enter):
    nova = await enter("Nova", "team")
    renewed = (await nova.request("renew_token"))["token"]
    assert tokens.verify(renewed, key="team") == tokens.verify(nova.token, key="team")
    with pytest.raises(tokens.BadToken):
        tokens.verify(renewed, key="other")


@pytest.mark.parametrize("transport", ["websocket", "stream", "poll"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1, "", "x"])
async def test_page_of_another_version_is_closed_with_4426(connect, path, version, transport):
    page = await connect(path, transport=transport, query=b"v=%s" % str(version).encode())
    assert await page.closing() == close_codes.OLD_PAGE


@pytest.mark.parametrize("query", [b"", b"v=%d" % VERSION])
async def test_this_version_is_let_in_and_a_program_that_names_none(enter, query):
    nova = await enter("Nova", "team", query=query)
    assert nova.hello["you"] == nova.id
