"""A participant in Python and a page in one call, with aiortc as the independent WebRTC peer."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import av
import pytest

from call.bot.media.sources import Echo
from call.bot.participant import Participant
from call.bot.transceivers import Slot
from tests.support.browsers.media_checks import hears, shows_video
from tests.support.clients.bot_thread import Loop
from tests.support.waiting import until, until_page

NEW_FRAMES: dict[Slot, int] = {"camera": 10, "microphone": 20}


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.stop()


@pytest.fixture
def in_call(noom, loop) -> Callable[..., AbstractContextManager[Participant]]:
    """`in_call(nickname, room, **options)`: a participant, in the call while the block runs."""
    return lambda *who, **options: loop.joined(Participant(noom.url, *who, **options))


def other(here: Participant) -> str:
    """The id of the only other one in the call."""
    others = until(lambda: here.callers.keys() - {here.id}, "somebody else in the call")
    assert len(others) == 1
    return others.pop()


def receives(here: Participant, seconds: float = 30) -> None:
    """Waits until new pictures and sound of the only other one were decoded."""
    there = other(here)
    before = here.frames_received(there)

    def grown() -> bool:
        now = here.frames_received(there)
        return all(now[slot] >= before[slot] + new for slot, new in NEW_FRAMES.items())

    until(grown, f"frames for {here.nickname}", seconds=seconds)


def see_each_other(page, participant: Participant) -> None:
    shows_video(page, 1)
    hears(page, 1)
    receives(participant)


def test_page_joins_before_the_bot(person, in_call):
    page = person("Nova", "page-first", call=True)
    with in_call("page-first", "Mira") as mira:
        see_each_other(page, mira)
    until_page(page, "document.querySelectorAll('#peers [data-participant]').length === 0")


def test_bot_joins_before_the_page(person, in_call):
    with in_call("page-second", "Mira") as mira:
        page = person("Nova", "page-second", call=True)
        see_each_other(page, mira)
        page.click("#leave-call")
        until(lambda: mira.callers.keys() == {mira.id}, "Nova gone")
        page.click("#join-call")
        see_each_other(page, mira)


def test_page_and_bot_exchange_messages(person, in_call, loop):
    page = person("Nova", "talk", call=True)
    with in_call("talk", "Mira") as mira:
        loop.run(mira.say("hello from Python"))
        until(lambda: "hello from Python" in page.inner_text("#messages"), "her message")
        page.fill("form#msg [name=text]", "hello from a page")
        page.press("form#msg [name=text]", "Enter")
        until(lambda: mira.messages[-1].text == "hello from a page", "my message")


@pytest.mark.parametrize("page_first", [True, False], ids=["page first", "participant first"])
def test_network_change_makes_a_new_peer_connection(person, in_call, page_first):
    room = f"network-{page_first}".lower()
    if page_first:
        page = person("Nova", room, call=True)
    with in_call(room, "Mira") as mira:
        if not page_first:
            page = person("Nova", room, call=True)
        see_each_other(page, mira)
        page.evaluate("window.dispatchEvent(new Event('online'))")
        see_each_other(page, mira)


def test_reloaded_page_reconnects_to_the_bot(person, in_call):
    with in_call("reload", "Mira") as mira:
        page = person("Nova", "reload", call=True)
        see_each_other(page, mira)
        page.reload()
        page.click("#join-call")
        see_each_other(page, mira)


def test_mute_and_camera_of_a_participant_show_on_its_tile(person, in_call, loop):
    page = person("Nova", "marks", call=True)
    with in_call("marks", "Mira") as mira:
        shows_video(page, 1)
        tile = page.locator("#peers [data-participant]")
        loop.run(mira.set_media(audio=False, video=False))
        until(lambda: tile.locator(".tile-muted").is_visible(), "the mark")
        until(lambda: tile.locator(".tile-avatar").is_visible(), "the avatar")
        loop.run(mira.set_media(audio=True, video=True))
        shows_video(page, 1)


def test_echo_bot_returns_the_pages_picture_and_sound(person, in_call):
    page = person("Nova", "echo", call=True)
    with in_call("echo", "Echo", source=Echo()) as echo:
        see_each_other(page, echo)


def test_recorder_writes_the_pages_media(person, in_call, tmp_path):
    person("Nova", "record", call=True)
    with in_call("record", "Recorder", record=tmp_path) as recorder:
        receives(recorder)
        receives(recorder)
    with av.open(str(tmp_path / "Nova.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) >= NEW_FRAMES["camera"]
    with av.open(str(tmp_path / "Nova.mp4")) as container:
        assert sum(1 for _ in container.decode(audio=0)) >= NEW_FRAMES["microphone"]
