"""Sends as fast as it can until it is cut off, and says how long that took.

`python -m tests.support.clients.flooder URL KEY TOKEN KIND` (text, binary or ping) prints `ready`,
waits for a line, floods, and prints the seconds; again and again.
"""

import json
import sys
import time
from contextlib import suppress

from tests.support.clients.raw_websocket import BINARY, PING, TEXT, Raw, masked
from tests.support.patience import PATIENCE

FRAMES = {
    "text": (TEXT, json.dumps({"type": "typing", "payload": {"on": True}}).encode()),
    "binary": (BINARY, bytes(1_000)),
    "ping": (PING, b"are you there?"),
}
AT_ONCE = 500  # frames a write
GIVE_UP_S = 20.0 * PATIENCE


def main(url: str, key: str, token: str, kind: str) -> None:
    """Enter the room, wait for a line on stdin, and flood; repeat until stdin ends."""
    chunk = masked(*FRAMES[kind]) * AT_ONCE
    while True:
        flooder = Raw(url, f"/ws/chat/{key}/")
        hello = {"token": token, "nickname": kind}
        flooder.send(TEXT, json.dumps({"type": "enter_room", "payload": hello, "ref": 1}).encode())
        next(flooder.frames())
        print("ready", flush=True)
        if not sys.stdin.readline():
            return
        print(flood(flooder, chunk), flush=True)
        flooder.close()


def flood(flooder: Raw, chunk: bytes) -> float:
    """Return the seconds until the server ended the socket."""
    flooder.line.settimeout(GIVE_UP_S)
    began = time.monotonic()
    with suppress(OSError):
        while time.monotonic() - began < GIVE_UP_S:
            flooder.line.sendall(chunk)
    return time.monotonic() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
