"""Films for bots that play a file."""

from pathlib import Path

import av
from av import VideoFrame

FRAMES_PER_S = 20
SECONDS = 2


def film(path: Path, seconds: int = SECONDS, **options: str) -> Path:
    """Create pictures without sound."""
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
    """Create a film without its last part, whose header gives the whole length."""
    whole = film(path, 8, movflags="faststart").read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    return path


def spoilt(path: Path, part: float) -> Path:
    """Create a film with noise in place of its last part."""
    whole = bytearray(film(path, 8, movflags="faststart").read_bytes())
    begin = int(len(whole) * part)
    whole[begin:] = bytes(255 for _ in whole[begin:])
    path.write_bytes(whole)
    return path
