"""Firefox and Chromium in one room, in either order."""

import pytest

from tests.support.browsers.media_checks import hears, shows_video
from tests.support.waiting import until, until_page


@pytest.mark.parametrize("first", ["chromium", "firefox"])
def test_chromium_and_firefox_exchange_media_and_messages(people, noom, firefox, first):
    room = f"foxes-{first}"

    def enter_firefox():
        firefox.goto(f"{noom.url}/rooms/{room}/?nickname=Fox")
        firefox.click("#join-call")
        until_page(firefox, "!document.querySelector('#leave-controls').hidden", seconds=30)

    if first == "firefox":
        enter_firefox()
    nova = people.enter("Nova", room, call=True)
    if first == "chromium":
        enter_firefox()
    for page in (nova, firefox):
        shows_video(page, 1)
        hears(page, 1)
    firefox.type("form#msg [name=text]", "from the fox")
    firefox.evaluate("document.querySelector('form#msg').requestSubmit()")
    until(lambda: "from the fox" in nova.inner_text("#messages"), "the message")
    nova.click("#camera")
    until_page(
        firefox,
        "getComputedStyle(document.querySelector('#peers video')).display === 'none'"
        " || document.querySelector('#peers .tile-avatar').checkVisibility()",
    )
    nova.click("#camera")
    shows_video(firefox, 1)
    assert firefox.origins <= {noom.url}
