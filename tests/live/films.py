"""Films for participants that play a file."""

from pathlib import Path

import av
from av import VideoFrame

FRAMES_PER_S = 20
SECONDS = 2


def film(path: Path) -> Path:
    """Two seconds of pictures without sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_S)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(SECONDS * FRAMES_PER_S):
            frame = VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
