"""One media track for any number of consumers: an own one for many peers, or a received one."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.frame import Frame
from av.packet import Packet

Media: TypeAlias = "Frame | Packet[Any]"

# For a consumer who is late: a fifth of a second. What is older is not live any more.
HELD_FRAMES = {"audio": 10, "video": 3}
UNBOUNDED = 0

log = logging.getLogger(__name__)


class Tap(MediaStreamTrack):
    """A copy of a track for one consumer, who may stop it without harm to the others."""

    def __init__(self, kind: str, held_frames: int) -> None:
        super().__init__()
        self.kind = kind
        self._frames: asyncio.Queue[Media | None] = asyncio.Queue(held_frames)
        self.has_begun = False  # a frame came
        self.heard = asyncio.Event()  # of a frame, or that none will come
        self.finished = asyncio.Event()  # all that came was read

    def feed(self, frame: "Media | None") -> None:
        """The next frame; None says that there are no more."""
        self.has_begun = self.has_begun or frame is not None
        self.heard.set()
        if self._frames.full():
            self._frames.get_nowait()
        self._frames.put_nowait(frame)

    async def recv(self) -> Media:
        if self.readyState != "live":
            raise MediaStreamError
        frame = await self._frames.get()
        if frame is None:
            self.finished.set()
            self.stop()
            raise MediaStreamError
        return frame


class Fan:
    """Reads one track, from `start` or the first tap on, until it ends or `stop`.

    aiortc's MediaRelay leaves its task running where a track never ends, and cannot be stopped.
    """

    def __init__(
        self, track: MediaStreamTrack, on_frame: Callable[[], None] = lambda: None
    ) -> None:
        self._track, self._on_frame = track, on_frame
        self._taps: set[Tap] = set()
        self._task: asyncio.Task[None] | None = None
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def tap(self, held_frames: int | None = None) -> Tap:
        """A new copy, from the next frame on."""
        self.start()
        kind = self._track.kind
        tap = Tap(kind, HELD_FRAMES[kind] if held_frames is None else held_frames)
        if self.ended.is_set():
            tap.feed(None)
        else:
            self._taps.add(tap)
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
                self._tell(frame)
        except MediaStreamError:
            pass
        except Exception:
            log.exception("a track of %s failed", self._track.kind)
        finally:
            self.ended.set()
            self._tell(None)

    def _tell(self, frame: "Media | None") -> None:
        self._taps = {tap for tap in self._taps if tap.readyState == "live"}
        for tap in self._taps:
            tap.feed(frame)
