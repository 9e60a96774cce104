"""One media track, own or received, for any number of consumers."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.frame import Frame
from av.packet import Packet

FrameOrPacket: TypeAlias = "Frame | Packet[Any]"

# A fifth of a second for a late consumer. Older frames are not live any more and are dropped.
MAX_QUEUED_FRAMES = {"audio": 10, "video": 3}
UNBOUNDED = 0

log = logging.getLogger(__name__)


class RelayedTrack(MediaStreamTrack):
    """A copy of a track for one consumer, which stops without harm to other copies."""

    def __init__(self, kind: str, held_frames: int) -> None:
        super().__init__()
        self.kind = kind
        self._frames: asyncio.Queue[FrameOrPacket | None] = asyncio.Queue(held_frames)
        self.has_begun = False  # a frame came
        self.first_frame = asyncio.Event()  # a frame came, or none will come
        self.finished = asyncio.Event()  # all frames were read

    def feed(self, frame: "FrameOrPacket | None") -> None:
        """Queue the next frame; None means that there are no more."""
        self.has_begun = self.has_begun or frame is not None
        self.first_frame.set()
        if self._frames.full():
            self._frames.get_nowait()
        self._frames.put_nowait(frame)

    async def recv(self) -> FrameOrPacket:
        if self.readyState != "live":
            raise MediaStreamError
        frame = await self._frames.get()
        if frame is None:
            self.finished.set()
            self.stop()
            raise MediaStreamError
        return frame


class TrackRelay:
    """Reads one track, from `start` or its first tap, until it ends or `stop`.

    aiortc's MediaRelay cannot be stopped, and its task runs on if a track never ends.
    """

    def __init__(
        self, track: MediaStreamTrack, on_frame: Callable[[], None] = lambda: None
    ) -> None:
        self._track, self._on_frame = track, on_frame
        self._relayed: set[RelayedTrack] = set()
        self._task: asyncio.Task[None] | None = None
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def subscribe(self, held_frames: int | None = None) -> RelayedTrack:
        """Make a copy of the track, from its next frame on."""
        self.start()
        kind = self._track.kind
        tap = RelayedTrack(kind, MAX_QUEUED_FRAMES[kind] if held_frames is None else held_frames)
        if self.ended.is_set():
            tap.feed(None)
        else:
            self._relayed.add(tap)
        return tap

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._track.stop()

    async def _run(self) -> None:
        try:
            while True:
                frame = await self._track.recv()
                self.begun.set()
                self._on_frame()
                self._feed_all(frame)
        except MediaStreamError:
            pass
        except Exception:
            log.exception("a track of %s failed", self._track.kind)
        finally:
            self.ended.set()
            self._feed_all(None)

    def _feed_all(self, frame: "FrameOrPacket | None") -> None:
        self._relayed = {tap for tap in self._relayed if tap.readyState == "live"}
        for tap in self._relayed:
            tap.feed(frame)
