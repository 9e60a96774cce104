"""Obstacles between a person and the camera: the page names each, and one still joins."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.conftest import CHROMIUMS, installed
from tests.support.browsers.media_checks import shows_video
from tests.support.browsers.users import FAKE_DEVICES, Users
from tests.support.waiting import until

FAKES = "--use-fake-device-for-media-stream"
ALLOWING = "--use-fake-ui-for-media-stream"


@pytest.fixture
def elsewhere(browser: Browser) -> Iterator[Callable[..., Browser]]:
    """`elsewhere(*flags)`: another Chromium, its permissions and devices chosen by flags."""
    started = []

    def start(*flags: str) -> Browser:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        common = [flag for flag in FAKE_DEVICES if not flag.startswith((FAKES, ALLOWING))]
        chromium = browser.browser_type.launch(
            executable_path=installed(*CHROMIUMS), args=[*common, *sandbox, *flags]
        )
        started.append(chromium)
        return chromium

    yield start
    for chromium in started:
        chromium.close()


@pytest.mark.parametrize(
    ("room", "flags", "words"),
    [
        ("refused", [FAKES, f"{ALLOWING}=deny"], "allow"),
        ("nothing", [ALLOWING], "No camera"),
    ],
)
def test_refused_camera_shows_the_reason_and_allows_joining(people, elsewhere, room, flags, words):
    nova = people.enter("Nova", room, call=True)
    others = Users(elsewhere(*flags), people.url)
    without = others.enter("Without", room, call=True)
    until(lambda: words in without.inner_text("#notice"), "the reason")
    shows_video(without, 1)
    until(lambda: nova.locator("#peers [data-participant]").count() == 1, "the tile")
    assert nova.locator("#peers .tile-avatar").is_visible()
    assert nova.locator("#peers .tile-muted").is_visible()
    others.leave()


def test_plain_http_shows_the_reason_and_allows_joining(start_noom, people, elsewhere):
    noom = start_noom(ALLOWED_HOSTS="noom.test")
    insecure = elsewhere(FAKES, ALLOWING, "--host-resolver-rules=MAP noom.test 127.0.0.1")
    others = Users(insecure, f"http://noom.test:{noom.port}")
    others.expected_errors.append("Cross-Origin-Opener-Policy")  # which plain http cannot have
    page = others.enter("Nova", "plain")
    until(lambda: "https" in page.inner_text("#notice"), "the way to https")
    page.click("#join-call")
    page.locator("#leave-call").wait_for(state="visible")
    page.fill("form#msg [name=text]", "without a camera")
    page.press("form#msg [name=text]", "Enter")
    until(lambda: "without a camera" in page.inner_text("#messages"), "the message")
    others.leave()
