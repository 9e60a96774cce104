"""A picture that stands still while its frames are decoded moves again by itself."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.support.browsers.media_checks import frames, shows_video
from tests.support.browsers.users import join_call
from tests.support.waiting import until, until_page

# Runs before the page's own scripts. `freeze(times)`: the next streams that video elements get are
# ones that stand still, in the elements alone: the page reads back the stream that it has set, and
# the frames of that are decoded as before. A connection that is made later is not concerned.
FREEZE = """(() => {
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) { super(...options); window.connections.push(this); }
  };
  const property = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  const set = new WeakMap();
  const isOf = (connections, stream) => connections.some((connection) =>
    connection.getReceivers().some(({ track }) => stream.getTracks().includes(track)));
  let frozen = [];
  let left = 0;
  window.attached = 0;
  const still = () => {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d').fillRect(0, 0, 300, 150);
    return canvas.captureStream(0);
  };
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    get() { return set.get(this) ?? null; },
    set(stream) {
      set.set(this, stream);
      const isFrozen = stream && left > 0 && isOf(frozen, stream);
      if (isFrozen) left -= 1;
      if (stream) window.attached += 1;
      property.set.call(this, isFrozen ? still() : stream);
    },
  });
  window.freeze = (times) => {
    frozen = [...window.connections];
    left = times;
    for (const video of document.querySelectorAll('#peers video')) {
      video.srcObject = set.get(video);
      void video.play();
    }
  };
})()"""
# Frames of pictures that the page has decoded, shown or not.
DECODED = """async () => {
  let frames = 0;
  for (const connection of window.connections) {
    for (const one of (await connection.getStats()).values()) {
      if (one.type === 'inbound-rtp' && one.kind === 'video') frames += one.framesDecoded;
    }
  }
  return frames;
}"""
# Undoes the spacing of restarts: six of them then freeze Chromium's picture of a Firefox for good.
AT_ONCE = """(() => {
  const later = window.setTimeout;
  window.setTimeout = (callback, ms, ...rest) => later(callback, ms === 5000 ? 5 : ms, ...rest);
})()"""
RESTART = "window.dispatchEvent(new Event('online'))"
LIVING = (
    "window.connections.filter(({ connectionState }) => connectionState === 'connected').length"
)


@pytest.fixture
def call(people) -> Callable[[str], list[Page]]:
    """`call(room)`: Nova, whose pictures can be frozen, and Mira see each other."""

    def meet(room: str) -> list[Page]:
        pages = []
        for nickname in ("Nova", "Mira"):
            page = people.page(nickname)
            page.add_init_script(FREEZE)
            page.goto(f"/rooms/{room}/?nickname={nickname}", wait_until="domcontentloaded")
            pages.append(join_call(page))
        for page in pages:
            shows_video(page, 1)
        return pages

    return meet


def stands_still(page: Page) -> bool:
    before, decoded = frames(page), page.evaluate(DECODED)
    page.wait_for_timeout(1_000)
    return frames(page) == before and page.evaluate(DECODED) > decoded


def test_still_picture_gets_a_new_connection_and_moves_again(call):
    nova, mira = call("frozen")
    before = nova.evaluate("window.connections.length")
    nova.evaluate("window.freeze(1000)")
    until(lambda: stands_still(nova), "the picture to stand still")
    until_page(nova, f"window.connections.length > {before}", seconds=30)
    for page in (nova, mira):
        shows_video(page, 1)
        assert page.evaluate(LIVING) == 1


def test_still_picture_moves_again_in_the_same_connection(call):
    nova, _ = call("stuck")
    before = nova.evaluate("window.connections.length")
    nova.evaluate("window.freeze(1)")
    until(lambda: stands_still(nova), "the picture to stand still")
    shows_video(nova, 1)
    assert nova.evaluate("window.connections.length") == before


def test_moving_and_covered_pictures_keep_their_connections(call):
    nova, mira = call("moving")
    for page in (nova, mira):
        page.set_viewport_size({"width": 390, "height": 844})
    nova.click("#open-chat")
    mira.click("#share")
    shows_video(nova, 1, tiles="#screens video")
    connections, attached = (nova.evaluate(what) for what in ("connections.length", "attached"))
    # Longer than a picture may stand still.
    nova.wait_for_timeout(12_000)
    assert nova.evaluate("attached") == attached
    assert nova.evaluate("connections.length") == connections


@pytest.mark.slow
def test_picture_that_many_restarts_have_frozen_moves_again(people, noom, firefox):
    firefox.goto(f"{noom.url}/rooms/flapping/?nickname=Fox")
    firefox.evaluate(AT_ONCE)
    firefox.click("#join-call")
    until_page(firefox, "!document.querySelector('#leave-controls').hidden", seconds=30)
    nova = people.page("Nova")
    nova.add_init_script(AT_ONCE)
    nova.add_init_script(FREEZE)
    nova.goto("/rooms/flapping/?nickname=Nova", wait_until="domcontentloaded")
    join_call(nova)
    for page in (nova, firefox):
        shows_video(page, 1)
    for _ in range(6):
        for page in (firefox, nova):
            page.evaluate(RESTART)
        nova.wait_for_timeout(1_500)
    until(lambda: stands_still(nova), "the frozen picture", seconds=20)
    for page in (nova, firefox):
        shows_video(page, 1, seconds=60)
