"""A recording is whole as soon as whoever was recorded has gone."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from call.fan import Fan
from call.recorder import Recorder
from call.slots import Slot
from call.sources import Moving
from tests.patience import PATIENCE

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


def received(source: Moving, *, camera: int, microphone: int = 0) -> dict[Slot, Fan]:
    tracks, counts = source.tracks({}), {"camera": camera, "microphone": microphone}
    return {slot: Fan(Frames(track, counts[slot])) for slot, track in tracks.items()}


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


async def test_a_file_is_whole_when_its_caller_has_gone(tmp_path, source):
    recorder = Recorder(tmp_path)
    recorder.record("Nova", received(source, camera=10, microphone=30))
    await over(recorder)
    assert recorder.files == [tmp_path / "Nova.mp4"]
    assert frames(recorder.files[0], "video") == 10
    assert frames(recorder.files[0], "audio") > 0
    await recorder.stop()


async def test_one_who_goes_before_a_first_frame_leaves_no_file(tmp_path, source):
    recorder = Recorder(tmp_path)
    recorder.record("Nova", received(source, camera=0, microphone=0))
    await over(recorder)
    assert recorder.files == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("camera", "microphone"), [(10, 0), (0, 30)])
async def test_a_track_without_a_frame_spoils_no_file(tmp_path, source, camera, microphone):
    recorder = Recorder(tmp_path)
    recorder.record("Nova", received(source, camera=camera, microphone=microphone))
    await over(recorder)
    (file,) = recorder.files
    assert (frames(file, "video") > 0, frames(file, "audio") > 0) == (camera > 0, microphone > 0)


async def test_a_stop_ends_files_that_have_begun_and_those_that_have_not(tmp_path, source):
    recorder = Recorder(tmp_path)
    streams = received(source, camera=10_000)
    recorder.record("Nova", streams)
    streams |= {"screen": Fan(Silent())}
    recorder.record("Mira", {"camera": streams["screen"]})
    await until(lambda: bool(recorder.files))
    await recorder.stop()
    assert [file.name for file in recorder.files] == ["Nova.mp4"]
    assert not recorder._writers
    for fan in streams.values():
        await fan.stop()
