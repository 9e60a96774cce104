"""An MP4 file of video and audio that is playable while it grows."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.filter import Graph
from av.video.stream import VideoStream

CLOCK_RATE = 90_000  # of RTP video (RFC 3551): no two pictures fall on one tick
FRAMES_PER_S = 30
# An MP4 keeps its index at the end, so the file of a killed program plays nowhere. Fragments carry
# their own index, so a kill costs only the frames after the last one.
FRAGMENTED = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "1000000",  # microseconds
    "flush_packets": "1",
}
ENCODER = {"preset": "veryfast", "tune": "zerolatency"}


class Movie:
    """A file of H.264 and AAC until `close`. Raises FFmpegError."""

    def __init__(self, path: Path, *, picture: VideoFrame | None, sound: bool) -> None:
        """Open the file.

        `picture` is the first one: its size, made even for 4:2:0, is the file's.
        """
        self._container = av.open(str(path), "w", format="mp4", options=FRAGMENTED)
        self._video = self._add_video(picture) if picture else None
        self._audio = self._add_audio() if sound else None
        self._fit: tuple[tuple[int, int, str], Graph] | None = None
        self._last_pts = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, frame: VideoFrame | AudioFrame) -> None:
        """Append a frame; leave out a picture that is not later than the last one."""
        if isinstance(frame, AudioFrame):
            if self._audio:
                self._container.mux(self._audio.encode(frame))
            return
        if self._video is None or frame.pts is None or frame.time_base is None:
            return
        pts = int(frame.pts * frame.time_base * CLOCK_RATE)
        if pts <= self._last_pts:
            return
        self._last_pts = pts
        fitted = self._fitted(frame, self._video.width, self._video.height)
        fitted.pts, fitted.time_base = pts, Fraction(1, CLOCK_RATE)
        self._container.mux(self._video.encode(fitted))

    def close(self) -> None:
        """Write what the encoders hold, and close the file even after an error."""
        try:
            for stream in (self._video, self._audio):
                if stream and stream.codec_context.is_open:
                    self._container.mux(stream.encode(None))
        finally:
            self._container.close()

    def _add_video(self, picture: VideoFrame) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=FRAMES_PER_S, options=ENCODER)
        stream.width, stream.height = _even(picture.width), _even(picture.height)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, CLOCK_RATE)
        stream.codec_context.gop_size = FRAMES_PER_S
        return stream

    def _add_audio(self) -> AudioStream:
        return self._container.add_stream("aac", rate=48_000)

    def _fitted(self, frame: VideoFrame, width: int, height: int) -> VideoFrame:
        """A whole picture in the size of the file, between black bars."""
        if (frame.width, frame.height, frame.format.name) == (width, height, "yuv420p"):
            return frame
        found = (frame.width, frame.height, frame.format.name)
        if self._fit is None or self._fit[0] != found:
            self._fit = found, _fitting(frame, width, height)
        graph = self._fit[1]
        graph.vpush(frame)
        return graph.vpull()


def _fitting(frame: VideoFrame, width: int, height: int) -> Graph:
    graph = Graph()
    scale = f"{width}:{height}:force_original_aspect_ratio=decrease"
    nodes = [
        graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=Fraction(1, CLOCK_RATE),
        ),
        graph.add("scale", scale),
        graph.add("pad", f"{width}:{height}:-1:-1"),
        graph.add("setsar", "1"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph


def _even(pixels: int) -> int:
    return pixels + pixels % 2
