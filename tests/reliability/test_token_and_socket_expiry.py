"""A call outlives the lifetime of a socket, and that of a participant's token."""

import pytest

from tests.support.browsers.two_person_call import Call, Figure
from tests.support.browsers.users import Users
from tests.support.servers.cluster import Process
from tests.support.waiting import until

LIFETIME_S = 8
TOKEN_S = 16
LASTS_S = 45


@pytest.fixture
def server(tmp_path):
    server = Process(tmp_path, SOCKET_LIFETIME_S=str(LIFETIME_S), TOKEN_MAX_AGE_S=str(TOKEN_S))
    server.start()
    yield server
    server.stop()


@pytest.mark.slow
@pytest.mark.target("R11")
def test_expiry_of_tokens_and_sockets_is_unnoticed(server, browser, figure: Figure):
    people = Users(browser, server.url)
    call = Call(people, people, "long")
    lines: list[str] = []
    for page in call.pages:
        page.on("websocket", lambda socket: lines.append(socket.url))
    with call.through(figure, "lifetime and expiry", states={"reconnecting", "open"}):
        call.nova.wait_for_timeout(LASTS_S * 1_000)
        call.mira.fill("form#msg [name=text]", "still here")
        call.mira.press("form#msg [name=text]", "Enter")
        until(lambda: "still here" in call.nova.inner_text("#messages"), "the message")
        left = call.nova.locator("#messages", has_text="left").count()
        figure("people who seemed to leave", left, limit=0)
    lost = call.seconds_without_frames()
    figure("seconds without decoded frames", lost, limit=0, unit="s")
    notices = sum(page.locator("#notice").is_visible() for page in call.pages)
    figure("notices on the pages", notices, limit=0)
    assert len(lines) >= 4 * (LASTS_S // (LIFETIME_S + 8)), "the lifetime was never reached"
    people.leave()
