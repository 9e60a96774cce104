"""The picture moves and names its sender, the tone beeps, and a file is played to its end."""

import asyncio
import time
from array import array
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame

from call.bot.media.sources import (
    FRAMES_PER_S,
    HEIGHT,
    SAMPLES_PER_FRAME,
    SAMPLES_PER_S,
    WIDTH,
    Echo,
    Moving,
    Picture,
    Played,
    Tone,
    beep,
)
from call.bot.media.track_relay import RelayedTrack, TrackRelay
from tests.support.media.video_files import film
from tests.support.patience import PATIENCE

NOON = datetime(2026, 1, 1, 12, 0, 0)
LATER = datetime(2026, 1, 1, 12, 0, 1)


class Numbers(MediaStreamTrack):
    """A track of so many numbered frames, as fast as the caller takes them."""

    kind = "audio"

    def __init__(self, count: int) -> None:
        super().__init__()
        self._left = iter(range(count))

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(0)
        number = next(self._left, None)
        if number is None:
            raise MediaStreamError
        frame = AudioFrame(samples=160)
        frame.pts = number
        return frame


async def read(tap: RelayedTrack) -> list[int | None]:
    """The numbers of all frames until the track ends."""
    numbers = []
    try:
        while True:
            numbers.append((await tap.recv()).pts)
    except MediaStreamError:
        return numbers


def test_picture_shows_the_name_the_clock_and_a_bar_that_moves():
    picture, other = Picture("Nova"), Picture("Mira")
    first = picture.draw(0, NOON).tobytes()
    assert picture.draw(0, NOON).tobytes() == first
    assert picture.draw(0, LATER).tobytes() != first, "the clock"
    assert picture.draw(FRAMES_PER_S, NOON).tobytes() != first, "the bar"
    assert other.draw(0, NOON).tobytes() != first, "the name and its colour"


@pytest.mark.parametrize("nickname", ["", "노바 ✨", "x" * 32, "line\nline"])
def test_any_name_can_be_drawn(nickname: str):
    assert Picture(nickname).draw(0, NOON).size == (WIDTH, HEIGHT)


async def test_test_pattern_has_its_frame_rate_and_the_encoders_format():
    picture = Picture("Nova")
    began = time.monotonic()
    frames = [await picture.recv() for _ in range(5)]
    taken_s = time.monotonic() - began
    assert {(f.width, f.height, f.format.name) for f in frames} == {(WIDTH, HEIGHT, "yuv420p")}
    times = [seconds(frame) for frame in frames]
    assert times[0] == 0
    assert times[-1] <= taken_s, "none comes before its time"
    assert all(after - before >= Fraction(1, FRAMES_PER_S) for before, after in pairwise(times))


async def test_late_source_skips_frames_and_keeps_its_clock():
    picture = Picture("Nova")
    await picture.recv()
    time.sleep(0.5)  # noqa: ASYNC251 - a machine that is busy elsewhere
    frame = await picture.recv()
    assert seconds(frame) >= Fraction(4, 10)


async def test_tone_has_frames_of_twenty_milliseconds():
    tone = Tone("Nova")
    frames = [await tone.recv() for _ in range(4)]
    assert {(f.samples, f.sample_rate, f.format.name) for f in frames} == {
        (SAMPLES_PER_FRAME, SAMPLES_PER_S, "s16")
    }
    assert peak(bytes(frames[2].planes[0])) > 500


def test_beep_is_a_second_long_and_repeats_without_a_click():
    sound = beep(440)
    assert len(sound) == SAMPLES_PER_S
    assert sound[0] == sound[-1] == 0
    assert max(abs(a - b) for a, b in pairwise(sound)) < 500
    assert max(sound) > 3_000


async def test_each_consumer_gets_every_frame_and_the_end():
    fan = TrackRelay(Numbers(5))
    taps = [fan.subscribe(0), fan.subscribe(0)]
    assert [await read(tap) for tap in taps] == [[0, 1, 2, 3, 4]] * 2
    assert await read(fan.subscribe()) == [], "whoever comes after the end"
    await fan.stop()


async def test_slow_consumer_gets_the_newest_frames():
    fan = TrackRelay(Numbers(50))
    tap = fan.subscribe(3)
    await fan.ended.wait()
    assert await read(tap) == [48, 49]  # and the end is the third
    await fan.stop()


async def test_stopped_consumer_does_not_affect_others():
    fan = TrackRelay(Numbers(5))
    stopped, other = fan.subscribe(0), fan.subscribe(0)
    stopped.stop()
    assert await read(other) == [0, 1, 2, 3, 4]
    await fan.stop()


async def test_stop_ends_the_consumers_and_the_track():
    source = Moving("Nova")
    taps = source.tracks({})
    await taps["camera"].recv()
    await source.stop()
    for tap in taps.values():
        assert len(await asyncio.wait_for(read(tap), PATIENCE)) <= 2


async def test_echo_sends_only_received_media():
    fan = TrackRelay(Numbers(1))
    taps = Echo().tracks({"microphone": fan})
    assert taps.keys() == {"microphone"}
    assert await read(taps["microphone"]) == [0]
    await fan.stop()


async def test_file_is_played_to_its_end(tmp_path: Path):
    played = Played(film(tmp_path / "film.mp4"))
    assert (played.media.audio, played.media.video) == (False, True)
    frames = await asyncio.gather(read(played.tracks({})["camera"]), played.ended())
    assert len(frames[0]) >= 30
    await played.stop()


def test_file_without_media_is_reported(tmp_path: Path):
    (tmp_path / "text").write_text("no film")
    with pytest.raises((av.FFmpegError, OSError)):
        Played(tmp_path / "text")
    with pytest.raises((av.FFmpegError, OSError)):
        Played(tmp_path / "missing")


def seconds(frame: VideoFrame) -> Fraction:
    assert frame.pts is not None
    assert frame.time_base
    return frame.pts * Fraction(frame.time_base)


def peak(sound: bytes) -> int:
    return max(abs(sample) for sample in array("h", sound))
