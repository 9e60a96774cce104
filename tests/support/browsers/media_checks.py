"""Proof of live media: pictures that a page shows, and sound that it would play."""

import time

from tests.support.patience import PATIENCE
from tests.support.waiting import Evaluates

TILES = "#peers [data-participant] video"
SHOWN_FRAMES = 5
LISTENED_MS = 1_500  # the fake microphones beep once a second
AUDIBLE = 0.005  # of 1, full scale

# Counts presented frames from the first call on, equally in every browser. In Firefox,
# getVideoPlaybackQuality() counts no frames of a MediaStream.
_FRAMES_JS = """selector => [...document.querySelectorAll(selector)].map(video => {
  if (!('seenFrames' in video)) {
    const count = () => { video.seenFrames += 1; video.requestVideoFrameCallback(count); };
    video.seenFrames = -1;
    count();
  }
  return video.seenFrames;
})"""

# Records and decodes the sound, because an AudioContext in Firefox stops on a machine without a
# sound device.
_LOUDNESS_JS = """([selector, listenedMs]) => {
  const peak = async video => {
    const tracks = video.srcObject?.getAudioTracks() ?? [];
    if (!tracks.length) return 0;
    const recorder = new MediaRecorder(new MediaStream(tracks));
    const recorded = new Promise(resolve => {
      recorder.ondataavailable = ({ data }) => resolve(data.arrayBuffer());
    });
    recorder.start();
    setTimeout(() => recorder.stop(), listenedMs);
    const decoder = new OfflineAudioContext(1, 1, 48_000);
    const sound = await decoder.decodeAudioData(await recorded);
    return sound.getChannelData(0).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  };
  return Promise.all([...document.querySelectorAll(selector)].map(peak));
}"""


def shows_video(
    page: Evaluates, people: int = 1, *, tiles: str = TILES, seconds: float = 30
) -> None:
    """Wait until the page has this many tiles, and each has shown new frames."""
    deadline = time.monotonic() + seconds * PATIENCE
    first = last = frames(page, tiles)
    while not _all_new(first, last, people):
        if time.monotonic() > deadline:
            raise AssertionError(
                f"expected {people} tiles with moving pictures by the deadline;"
                f" frames at first {first}, at last {last}"
            )
        time.sleep(0.1)
        last = frames(page, tiles)
        first = first if len(first) == len(last) else last


def _all_new(first: list[int], last: list[int], people: int) -> bool:
    grown = [after - before for before, after in zip(first, last, strict=True)]
    return len(grown) == people and all(new >= SHOWN_FRAMES for new in grown)


def frames(page: Evaluates, tiles: str = TILES) -> list[int]:
    """Return how many frames each tile has presented since the first call."""
    return list(page.evaluate(_FRAMES_JS, tiles))


def loudness(page: Evaluates, tiles: str = TILES) -> list[float]:
    """Return each tile's peak while the page records.

    The peak is from 0 (silence, or no track) to 1.
    """
    return list(page.evaluate(_LOUDNESS_JS, [tiles, LISTENED_MS]))


def hears(page: Evaluates, people: int = 1, *, tiles: str = TILES, seconds: float = 30) -> None:
    """Wait until the page has this many tiles and each is audible."""
    deadline = time.monotonic() + seconds * PATIENCE
    while len(last := loudness(page, tiles)) != people or min(last, default=0) < AUDIBLE:
        if time.monotonic() > deadline:
            raise AssertionError(
                f"expected {people} tiles with sound by the deadline; loudness at last {last}"
            )
