"""Media that a participant in Python sends: generated, from a file, or an echo."""

import asyncio
import colorsys
import math
import time
import zlib
from array import array
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Protocol

import av
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import AUDIO_PTIME, MediaStreamError, MediaStreamTrack
from av import AudioFrame, FFmpegError, VideoFrame
from av.frame import Frame
from av.video.reformatter import VideoReformatter
from PIL import Image, ImageDraw, ImageFont

from call.bot.media.track_relay import RelayedTrack, TrackRelay
from call.bot.transceivers import Slot
from call.protocol import Media

WIDTH, HEIGHT = 320, 180
FRAMES_PER_S = 15
CLOCK_RATE = 90_000  # of RTP video (RFC 3551)
NAME_PX, CLOCK_PX = 28, 36
BAR_PX = 24

PICTURES = {"gif", "apng", "image2", "ico"}  # and what FFmpeg calls "…_pipe"

BEFORE_END_S = 3.0  # the last part of a played file, decoded again to find damage
MISSING_S = 1.0  # of the declared length; a file that lacks more is damaged

CATCH_UP_S = 0.2  # frames that are due for longer are left out

SAMPLES_PER_S = 48_000
SAMPLES_PER_FRAME = SAMPLES_PER_S // 50
BEEP_S = 0.15
LOUDNESS = 0.15  # of 1, full scale
PITCHES_HZ = (440, 494, 523, 587, 659, 698, 784, 880)


class Source(Protocol):
    """The origin of a participant's media."""

    media: Media

    def tracks(self, received: Mapping[Slot, TrackRelay]) -> dict[Slot, RelayedTrack]:
        """Return tracks for a new connection, which brings in `received`."""

    async def stop(self) -> None: ...


class Moving:
    """A moving picture with a name and a clock, and a soft beep once a second."""

    media = Media(audio=True, video=True, screen=False)

    def __init__(self, nickname: str) -> None:
        self._sound, self._picture = TrackRelay(Tone(nickname)), TrackRelay(Picture(nickname))

    def tracks(self, received: Mapping[Slot, TrackRelay]) -> dict[Slot, RelayedTrack]:
        return {"microphone": self._sound.subscribe(), "camera": self._picture.subscribe()}

    async def stop(self) -> None:
        await self._picture.stop()
        await self._sound.stop()


class Damaged(Exception):
    """A file whose end could not be played."""


class Played:
    """A film or sound that FFmpeg reads, played once.

    Raises OSError, FFmpegError or ValueError if the file is neither.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._frame_s = path, _check(path)
        self._played_s: dict[Slot, float] = {}
        player = MediaPlayer(str(path))
        tracks: dict[Slot, MediaStreamTrack | None] = {
            "microphone": player.audio,
            "camera": player.video,
        }
        self._fans: dict[Slot, TrackRelay] = {
            name: TrackRelay(track, partial(self._play_on, name))
            for name, track in tracks.items()
            if track
        }
        if not self._fans:
            raise ValueError("no sound and no picture in it")
        self.media = Media(
            audio="microphone" in self._fans, video="camera" in self._fans, screen=False
        )

    def tracks(self, received: Mapping[Slot, TrackRelay]) -> dict[Slot, RelayedTrack]:
        return {slot: fan.subscribe() for slot, fan in self._fans.items()}

    async def ended(self) -> None:
        """Wait until the file has been played to its end.

        Raises Damaged if that was not the end: the player stops silently if it can decode no more.
        """
        for fan in self._fans.values():
            await fan.ended.wait()
        await asyncio.to_thread(_check_end, self._path, max(self._played_s.values(), default=0.0))

    async def stop(self) -> None:
        for fan in self._fans.values():
            await fan.stop()

    def _play_on(self, slot: Slot) -> None:
        frame_s = self._frame_s if slot == "camera" else AUDIO_PTIME
        self._played_s[slot] = self._played_s.get(slot, 0.0) + frame_s


def _check(path: Path) -> float:
    """Decode a first frame of each kind; return the seconds for each picture.

    The player ends silently if it can decode none.
    """
    with av.open(str(path)) as container:
        name = container.format.name
        if name in PICTURES or name.endswith("_pipe"):
            raise ValueError(
                f"it is a picture ({name.removesuffix('_pipe')}), and no film or sound"
            )
        found = [*container.streams.video[:1], *container.streams.audio[:1]]
        for stream in found:
            container.seek(0)
            if next(container.decode(stream), None) is None:
                raise ValueError(f"no {stream.type} can be read from it: the file is damaged")
        rates = [stream.average_rate for stream in container.streams.video[:1]]
        return float(1 / rates[0]) if rates and rates[0] else 0.0


def _check_end(path: Path, played_s: float) -> None:
    """Decode a file again from shortly before `played_s`. Raises Damaged."""
    last_s = played_s
    try:
        with av.open(str(path)) as container:
            container.seek(int(max(0.0, played_s - BEFORE_END_S) * av.time_base))
            streams = (*container.streams.video[:1], *container.streams.audio[:1])
            for frame in container.decode(*streams):
                if isinstance(frame, Frame):
                    last_s = max(last_s, frame.time or 0.0)
            whole_s = (container.duration or 0) / av.time_base
    except FFmpegError as error:
        raise Damaged(f"it is damaged after {last_s:.1f} s ({error.strerror})") from error
    if last_s < whole_s - MISSING_S:
        raise Damaged(f"it breaks off after {last_s:.1f} of {whole_s:.1f} s")


class Echo:
    """Sends each participant its own media back."""

    media = Media(audio=True, video=True, screen=False)

    def tracks(self, received: Mapping[Slot, TrackRelay]) -> dict[Slot, RelayedTrack]:
        slots: tuple[Slot, ...] = ("microphone", "camera")
        return {slot: received[slot].subscribe() for slot in slots if slot in received}

    async def stop(self) -> None:
        """Do nothing, because the connections stop their own tracks."""


class _Paced(MediaStreamTrack):
    """A track whose frames are due at a steady rate."""

    def __init__(self, interval_s: float) -> None:
        super().__init__()
        self._interval_s = interval_s
        self._started_at: float | None = None
        self._count = 0

    async def next(self) -> int:
        """Wait until the next frame is due, and return its number.

        Very late frames are left out.
        """
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        if self._started_at is None:
            self._started_at = now
        due = self._count
        if now - self._started_at - due * self._interval_s > CATCH_UP_S:
            due = int((now - self._started_at) / self._interval_s)
        self._count = due + 1
        await asyncio.sleep(self._started_at + due * self._interval_s - now)
        return due


class Picture(_Paced):
    """A moving picture, in the colour of its name."""

    kind = "video"

    def __init__(self, nickname: str) -> None:
        super().__init__(1 / FRAMES_PER_S)
        self._bright = _colour(nickname, value=0.95)
        self._reformatter = VideoReformatter()  # a new one for each frame costs a millisecond
        self._clock_font = ImageFont.load_default(CLOCK_PX)
        self._still = Image.new("RGBA", (WIDTH, HEIGHT), _colour(nickname, value=0.35))
        name_font = ImageFont.load_default(NAME_PX)
        self._write(self._still, nickname, HEIGHT // 3, name_font)

    async def recv(self) -> VideoFrame:
        number = await self.next()
        drawn = self.draw(number, datetime.now()).tobytes()
        # Converted once to the format of the encoders, and not in each connection.
        frame = self._reformatter.reformat(
            VideoFrame.from_bytes(drawn, WIDTH, HEIGHT, "rgba"), format="yuv420p", threads=1
        )
        frame.pts = number * CLOCK_RATE // FRAMES_PER_S
        frame.time_base = Fraction(1, CLOCK_RATE)
        return frame

    def draw(self, number: int, now: datetime) -> Image.Image:
        """Draw the picture of one moment; a bar crosses it every four seconds."""
        picture = self._still.copy()
        left = number * (WIDTH // (4 * FRAMES_PER_S)) % WIDTH
        ImageDraw.Draw(picture).rectangle((left, 0, left + BAR_PX, BAR_PX), fill=self._bright)
        self._write(picture, f"{now:%H:%M:%S.%f}"[:-5], 2 * HEIGHT // 3, self._clock_font)
        return picture

    def _write(
        self,
        picture: Image.Image,
        text: str,
        y: int,
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    ) -> None:
        ImageDraw.Draw(picture).text(
            (WIDTH // 2, y), text, fill=self._bright, font=font, anchor="mm"
        )


class Tone(_Paced):
    """A short beep each second, at a pitch that the nickname gives."""

    kind = "audio"

    def __init__(self, nickname: str) -> None:
        super().__init__(SAMPLES_PER_FRAME / SAMPLES_PER_S)
        self._second = beep(PITCHES_HZ[_hash(nickname) % len(PITCHES_HZ)])

    async def recv(self) -> AudioFrame:
        number = await self.next()
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES_PER_FRAME)
        start = number * SAMPLES_PER_FRAME % SAMPLES_PER_S
        frame.planes[0].update(self._second[start : start + SAMPLES_PER_FRAME].tobytes())
        frame.pts = number * SAMPLES_PER_FRAME
        frame.sample_rate = SAMPLES_PER_S
        frame.time_base = Fraction(1, SAMPLES_PER_S)
        return frame


def beep(pitch_hz: int) -> "array[int]":
    """A second of sound, 16 bits a sample, that repeats without a click."""
    length = int(BEEP_S * SAMPLES_PER_S)
    peak = LOUDNESS * 32_767
    samples = (
        peak
        * math.sin(2 * math.pi * pitch_hz * at / SAMPLES_PER_S)
        * math.sin(math.pi * at / length)
        for at in range(length)
    )
    return array("h", [int(sample) for sample in samples] + [0] * (SAMPLES_PER_S - length))


def _hash(nickname: str) -> int:
    # Not `hash`, which differs from process to process.
    return zlib.crc32(nickname.encode())


def _colour(nickname: str, *, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(_hash(nickname) % 360 / 360, 0.5, value)
    return int(red * 255), int(green * 255), int(blue * 255)
