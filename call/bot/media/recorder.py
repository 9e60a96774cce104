"""Recordings of received media, one file for each participant."""

import asyncio
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, FFmpegError, VideoFrame

from call.bot.media.mp4_file import Movie
from call.bot.media.track_relay import UNBOUNDED, FrameOrPacket, RelayedTrack, TrackRelay
from call.bot.transceivers import Slot

RECORDED: tuple[Slot, ...] = ("camera", "microphone")
SECOND_TRACK_S = 5.0  # the first track waits so long for the second

log = logging.getLogger(__name__)


class Recorder:
    """Files in a folder, one for each connection until it ends or `stop`.

    A file holds the tracks that came within the first seconds, because it takes none later. It is
    complete as soon as its connection has ended. Raises OSError if no file can be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass  # only an opened file proves that the folder is writable
        self._folder = folder
        self._writers: set[asyncio.Task[None]] = set()
        self.files: list[Path] = []

    def record(self, name: str, received: Mapping[Slot, TrackRelay]) -> None:
        """Begin the file of a participant; a return begins another file."""
        taps = {slot: received[slot].subscribe(UNBOUNDED) for slot in RECORDED if slot in received}
        writer = asyncio.create_task(self._write(name, taps))
        self._writers.add(writer)
        writer.add_done_callback(self._writers.discard)

    async def stop(self) -> None:
        writers = list(self._writers)
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)

    async def _write(self, name: str, taps: Mapping[Slot, RelayedTrack]) -> None:
        try:
            begun = await _begun(taps)
            if begun:
                await self._write_file(re.sub(r"\W+", "-", name).strip("-") or "anon", begun)
        except Exception:
            log.exception("the recording of %s failed", name)
        finally:
            for tap in taps.values():
                tap.stop()

    async def _write_file(self, stem: str, taps: list[RelayedTrack]) -> None:
        firsts = [(tap, await tap.recv()) for tap in taps]
        pictures = [frame for _, frame in firsts if isinstance(frame, VideoFrame)]
        sound = any(tap.kind == "audio" for tap in taps)
        path = self._free(stem)
        with Movie(path, picture=pictures[0] if pictures else None, sound=sound) as movie:
            self.files.append(path)
            tracks = [asyncio.create_task(_copy(tap, first, movie)) for tap, first in firsts]
            try:
                await asyncio.gather(*tracks)
            finally:
                for track in tracks:
                    track.cancel()
                await asyncio.gather(*tracks, return_exceptions=True)

    def _free(self, stem: str) -> Path:
        names = (f"{stem}{f'-{n}' if n > 1 else ''}.mp4" for n in range(1, 10_000))
        return next(path for name in names if not (path := self._folder / name).exists())


async def _begun(taps: Mapping[Slot, RelayedTrack]) -> list[RelayedTrack]:
    """Wait for a first frame, and a while for one of each; return these tracks.

    A track that ends without a frame is left out, because an encoder fails at it.
    """
    waits = {asyncio.create_task(tap.first_frame.wait()) for tap in taps.values()}
    pending = waits
    try:
        while pending and not any(tap.has_begun for tap in taps.values()):
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if pending:
            await asyncio.wait(pending, timeout=SECOND_TRACK_S)
    finally:
        for wait in waits:
            wait.cancel()
    return [tap for tap in taps.values() if tap.has_begun]


async def _copy(tap: RelayedTrack, first: FrameOrPacket, movie: Movie) -> None:
    """Write a track until it ends; if its encoder fails, the other track goes on."""
    frame = first
    try:
        while True:
            if isinstance(frame, VideoFrame | AudioFrame):
                movie.write(frame)
            frame = await tap.recv()
    except MediaStreamError:
        return
    except (FFmpegError, ValueError) as error:
        log.warning("The recording of a %s track ends, the encoder failed: %s", tap.kind, error)
