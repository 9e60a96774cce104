"""Films for participants that play a file."""

from pathlib import Path

import av
from av import VideoFrame

FRAMES_PER_S = 20
SECONDS = 2


def film(path: Path, seconds: int = SECONDS, **options: str) -> Path:
    """Pictures without sound."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_S)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(seconds * FRAMES_PER_S):
            frame = VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut(path: Path, part: float) -> Path:
    """A film of which the last part is missing, though it says how long it was."""
    whole = film(path, 8, movflags="faststart").read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    return path


def spoilt(path: Path, part: float) -> Path:
    """A film with noise instead of its last part."""
    whole = bytearray(film(path, 8, movflags="faststart").read_bytes())
    begin = int(len(whole) * part)
    whole[begin:] = bytes(255 for _ in whole[begin:])
    path.write_bytes(whole)
    return path
