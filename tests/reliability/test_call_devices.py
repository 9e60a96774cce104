"""Two simultaneous screen shares, again and again, and devices that are unplugged."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.browsers.media_checks import hears, shows_video
from tests.support.browsers.two_person_call import Figure, enter
from tests.support.waiting import until_page

pytestmark = pytest.mark.slow

ROUNDS = 100
ROUND_S = 10
BACK_WITHIN_S = 10
# In the same millisecond in both pages.
CLICK_AT = (
    """at => void setTimeout(() => document.getElementById('share').click(), at - Date.now())"""
)
SEEN = """document.querySelectorAll('#screens [data-screen]').length === 1
  && document.querySelector('#screens video').videoWidth > 0"""
NONE = "document.querySelectorAll('#screens [data-screen]').length === 0"
CAMERA = "document.querySelector('#myFace').srcObject.getVideoTracks()[0]"


@pytest.fixture
def pages(people):
    pages = [enter(people, nickname, "media") for nickname in ("Nova", "Mira")]
    for page in pages:
        shows_video(page, 1)
    return pages


@pytest.mark.target("C2")
def test_screens_shared_at_once_a_hundred_times(pages, figure: Figure):
    connections = [page.evaluate("connections.length") for page in pages]
    missed = sum(not (at_once(pages, SEEN) and at_once(pages, NONE)) for _ in range(ROUNDS))
    figure(f"rounds in which a screen was not seen or not gone, of {ROUNDS}", missed, limit=0)
    for page in pages:
        shows_video(page, 1)
        assert page.locator("#peers .tile").count() == 1
    new = [page.evaluate("connections.length") for page in pages] != connections
    figure("connections that began anew", int(new), limit=0)
    unstable = "connections.filter(one => one.signalingState !== 'stable').length"
    figure("connections not stable", sum(page.evaluate(unstable) for page in pages), limit=0)


def at_once(pages, expected: str) -> bool:
    """Click in both pages at one moment.

    Return whether both then show the expected state.
    """
    at = (time.time() + 0.05) * 1_000
    for page in pages:
        page.evaluate(CLICK_AT, at)
    deadline = time.monotonic() + ROUND_S
    while not all(page.evaluate(expected) for page in pages):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.target("C3")
def test_camera_that_is_pulled_out_is_replaced(browser, pages, figure: Figure):
    """The test kills the browser's process that reads the fake camera, which has no plug.

    The tracks end like those of an unplugged camera; the list of devices stays as it was.
    """
    nova = pages[0]
    nova.click("#mute")
    for page in pages:
        page.evaluate(f"window.lost = {CAMERA}")
    start = time.monotonic()
    for pid in processes_of(browser, "video_capture"):
        os.kill(pid, signal.SIGKILL)
    for page in pages:
        until_page(page, "lost.readyState === 'ended'", what="the end of the track")
        until_page(page, f"{CAMERA}?.readyState === 'live'", what="another track")
    for page in pages:
        shows_video(page, 1)
    hears(nova, 1)
    figure("camera back after", time.monotonic() - start, limit=BACK_WITHIN_S, unit="s")
    pressed = [page.get_attribute("#mute", "data-off") for page in pages]
    figure("pages whose mute has changed", int(pressed != ["true", "false"]), limit=0)
    tiles = max(page.locator("#peers .tile").count() for page in pages)
    figure("tiles too many", tiles - 1, limit=0)


def processes_of(browser, service: str) -> list[int]:
    """Return the browser's processes for one of its services."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    wanted = f"--utility-sub-type={service}.mojom"
    pids = [one["id"] for one in found if wanted in Path(f"/proc/{one['id']}/cmdline").read_text()]
    assert pids, f"no process for {service} among {found}"
    return pids
