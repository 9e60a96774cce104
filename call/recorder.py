"""Writes what comes from each of the others in a call into a file of its own."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from aiortc.contrib.media import MediaRecorder

from call.fan import UNBOUNDED, Fan
from call.slots import Slot

# The picture first: MediaRecorder fixes its size, and fails later, once any sound is written.
RECORDED: tuple[Slot, ...] = ("camera", "microphone")
SECOND_TRACK_S = 5.0  # so long the first one waits for the other


class Recorder:
    """Files in a folder, one for each connection, until `stop`.

    A file holds the tracks that came within the first seconds: it cannot get one more later.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._writers: list[asyncio.Task[None]] = []
        self._recorders: list[MediaRecorder] = []
        self.files: list[Path] = []

    def record(self, name: str, received: Mapping[Slot, Fan]) -> None:
        """Begins the file of one participant; whoever comes back gets another one."""
        self._writers.append(asyncio.create_task(self._write(name, received)))

    async def stop(self) -> None:
        for writer in self._writers:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        for recorder in self._recorders:
            await recorder.stop()
        self._writers.clear()
        self._recorders.clear()
        await asyncio.sleep(0)  # the recorders' tasks end now that they are cancelled

    async def _write(self, name: str, received: Mapping[Slot, Fan]) -> None:
        taps = {slot: received[slot].tap(UNBOUNDED) for slot in RECORDED if slot in received}
        begun = await _begun({slot: received[slot] for slot in taps})
        path = self._free(re.sub(r"\W+", "-", name).strip("-") or "anon")
        recorder = MediaRecorder(str(path))
        for slot, tap in taps.items():
            if slot in begun:
                recorder.addTrack(tap)
            else:
                tap.stop()
        self._recorders.append(recorder)
        self.files.append(path)
        await recorder.start()

    def _free(self, stem: str) -> Path:
        names = (f"{stem}{f'-{n}' if n > 1 else ''}.mp4" for n in range(1, 10_000))
        return next(path for name in names if not (path := self._folder / name).exists())


async def _begun(fans: Mapping[Slot, Fan]) -> set[Slot]:
    """Waits for a first frame, and then for one of each, but not for ever; those that came."""
    waits = [asyncio.create_task(fan.begun.wait()) for fan in fans.values()]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(waits, timeout=SECOND_TRACK_S)
    finally:
        for wait in waits:
            wait.cancel()
    return {slot for slot, fan in fans.items() if fan.begun.is_set()}
