"""A recording is whole as soon as the recorded participant has gone."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from call.bot.media.recorder import Recorder
from call.bot.media.sources import Moving
from call.bot.media.track_relay import TrackRelay
from call.bot.transceivers import Slot
from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT

WAIT_S = 20 * PATIENCE


class Frames(MediaStreamTrack):
    """So many frames of another track, and then its end."""

    def __init__(self, track: MediaStreamTrack, count: int) -> None:
        super().__init__()
        self.kind, self._track, self._left = track.kind, track, count

    async def recv(self):
        if self._left == 0:
            self._track.stop()
            raise MediaStreamError
        self._left -= 1
        return await self._track.recv()


class Silent(MediaStreamTrack):
    """A track of which nothing ever comes."""

    kind = "video"

    async def recv(self):
        await asyncio.Event().wait()


@pytest.fixture
async def source():
    source = Moving("Nova")
    yield source
    await source.stop()


def received(source: Moving, *, camera: int, microphone: int = 0) -> dict[Slot, TrackRelay]:
    tracks, counts = source.tracks({}), {"camera": camera, "microphone": microphone}
    return {slot: TrackRelay(Frames(track, counts[slot])) for slot, track in tracks.items()}


async def over(recorder: Recorder) -> None:
    """Returns when the recorder writes nothing any more, by itself."""
    await until(lambda: not recorder._writers)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.01)


def frames(path: Path, kind: str) -> int:
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        return sum(1 for _ in container.decode(streams)) if streams else 0


async def test_file_is_complete_after_its_caller_leaves(tmp_path, source):
    recorder = Recorder(tmp_path)
    recorder.record("Nova", received(source, camera=10, microphone=30))
    await over(recorder)
    assert recorder.files == [tmp_path / "Nova.mp4"]
    assert frames(recorder.files[0], "video") == 10
    assert frames(recorder.files[0], "audio") > 0
    await recorder.stop()


async def test_caller_without_a_frame_leaves_no_file(tmp_path, source):
    recorder = Recorder(tmp_path)
    recorder.record("Nova", received(source, camera=0, microphone=0))
    await over(recorder)
    assert recorder.files == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("camera", "microphone"), [(10, 0), (0, 30)])
async def test_track_without_a_frame_spoils_no_file(tmp_path, source, camera, microphone):
    recorder = Recorder(tmp_path)
    recorder.record("Nova", received(source, camera=camera, microphone=microphone))
    await over(recorder)
    (file,) = recorder.files
    assert (frames(file, "video") > 0, frames(file, "audio") > 0) == (camera > 0, microphone > 0)


class Sizes(MediaStreamTrack):
    """One picture of each size, and then its end."""

    kind = "video"

    def __init__(self, sizes: list[tuple[int, int]]) -> None:
        super().__init__()
        self._left = enumerate(sizes)

    async def recv(self):
        await asyncio.sleep(0)
        number, (width, height) = next(self._left, (0, (0, 0)))
        if not width:
            raise MediaStreamError
        frame = VideoFrame(width, height, "yuv420p")
        frame.pts, frame.time_base = number * 3_000, Fraction(1, 90_000)
        return frame


@pytest.mark.parametrize(
    "sizes",
    [[(853, 480)] * 3, [(320, 180), (853, 480), (480, 853), (1, 1), (320, 180)]],
    ids=["odd", "changing"],
)
async def test_recording_takes_every_size_of_picture(tmp_path, sizes):
    recorder = Recorder(tmp_path)
    recorder.record("Nova", {"camera": TrackRelay(Sizes(sizes))})
    await over(recorder)
    assert frames(tmp_path / "Nova.mp4", "video") == len(sizes)


KILLED = """
import os, signal, sys
from fractions import Fraction
from pathlib import Path
from av import AudioFrame, VideoFrame
from call.bot.media.mp4_file import Movie

picture = VideoFrame(320, 180, "yuv420p")
with Movie(Path(sys.argv[1]), picture=picture, sound=True) as movie:
    for number in range(150):
        picture = VideoFrame(320, 180, "yuv420p")
        picture.pts, picture.time_base = number, Fraction(1, 30)
        movie.write(picture)
        sound = AudioFrame("s16", "stereo", 1600)
        sound.sample_rate, sound.pts, sound.time_base = 48000, number * 1600, Fraction(1, 48000)
        movie.write(sound)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_recording_plays(tmp_path):
    file = tmp_path / "killed.mp4"
    done = subprocess.run([sys.executable, "-c", KILLED, str(file)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert frames(file, "video") >= 60
    assert frames(file, "audio") > 0


async def test_stop_ends_files_that_have_begun_and_those_that_have_not(tmp_path, source):
    recorder = Recorder(tmp_path)
    streams = received(source, camera=10_000)
    recorder.record("Nova", streams)
    streams |= {"screen": TrackRelay(Silent())}
    recorder.record("Mira", {"camera": streams["screen"]})
    await until(lambda: bool(recorder.files))
    await recorder.stop()
    assert [file.name for file in recorder.files] == ["Nova.mp4"]
    assert not recorder._writers
    for fan in streams.values():
        await fan.stop()
