"""`python -m bench.hops`: the functions of Noom that a chat text and an SDP offer pass through.

One server process, the sockets of two pages, and a profiler that notes each call of a function of
Noom's own between the frame of one client and the frame at the other. A function counts if every
repetition calls it, so no timer that came in between does. A coroutine that only goes on does not
count.
"""

import json
import os
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from bench import servers

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "noom_project.settings",
    "SECRET_KEY": servers.SECRET_KEY,
    "DATABASE_URL": f"sqlite:///{tempfile.mkdtemp()}/noom.sqlite3",
    "RATE_LIMITS": "0",
    # No heartbeat comes in between.
    "HEARTBEAT_INTERVAL_S": "40000",
    "PRESENCE_LEASE_S": "86400",
}

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from websockets.sync.client import ClientConnection, connect  # noqa: E402
from websockets.typing import Origin  # noqa: E402

from chat import tokens  # noqa: E402
from tests.support.servers.dev_server import ROOT, free_port, listens  # noqa: E402
from tests.support.waiting import until  # noqa: E402

REPEATS = 6
PAUSE_S = 0.5  # until the server is idle again
MEDIA = {"audio": True, "video": True, "screen": False}
OURS = tuple(f"{ROOT}/{name}/" for name in ("chat", "call", "noom_project"))

Hop = tuple[str, str]  # path, function


class Recorder:
    """Notes the calls of Noom's functions in every thread while it is on."""

    def __init__(self) -> None:
        self.hops: list[Hop] = []
        self.is_on = False

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        # A coroutine that goes on has instructions behind it.
        started = frame.f_lasti <= 2 * len(code.co_cellvars + code.co_freevars) + 8
        is_ours = code.co_filename.startswith(OURS) and not code.co_name.startswith("<")
        if self.is_on and event == "call" and started and is_ours:
            self.hops.append((str(Path(code.co_filename).relative_to(ROOT)), code.co_qualname))


class Clients:
    """Two people in a room and its call, by their sockets."""

    def __init__(self, port: int) -> None:
        self._port = port
        names = ("Nova", "Mira")
        issued = [tokens.issue(key="tea", browser=name, room_name="Tea") for name in names]
        self.chats = [self._open("chat", token, nickname="Nova") for token in issued]
        self.calls = [self._open("call", token, session="one", media=MEDIA) for token in issued]
        self.second = tokens.verify(issued[1], key="tea").participant

    def _open(self, endpoint: str, token: str, **payload: Any) -> ClientConnection:
        address = f"127.0.0.1:{self._port}"
        origin = Origin(f"http://{address}")
        socket: ClientConnection = connect(f"ws://{address}/ws/{endpoint}/tea/", origin=origin)
        kind = "enter_room" if endpoint == "chat" else "join_room"
        socket.send(json.dumps({"type": kind, "payload": {"token": token, **payload}, "ref": 1}))
        receive(socket, "ack")
        return socket


def receive(socket: ClientConnection, kind: str) -> None:
    """Read until an event of this type has come."""
    while True:
        events = json.loads(socket.recv(timeout=10))
        if any(one["type"] == kind for one in (events if isinstance(events, list) else [events])):
            return


def way(
    recorder: Recorder,
    pair: list[ClientConnection],
    kind: str,
    payload: Callable[[int], dict[str, Any]],
) -> list[Hop]:
    """Return the functions that each of the repeated messages passes through, in order."""
    seen: list[list[Hop]] = []
    for number in range(REPEATS):
        time.sleep(PAUSE_S)
        recorder.hops, recorder.is_on = [], True
        pair[0].send(json.dumps({"type": kind, "payload": payload(number)}))
        receive(pair[1], kind)
        recorder.is_on = False
        seen.append(list(dict.fromkeys(recorder.hops)))
    always = set(seen[0]).intersection(*seen)
    return [hop for hop in seen[-1] if hop in always]


def measure(recorder: Recorder, port: int) -> None:
    """Print both ways, and end the process."""
    try:
        until(lambda: listens(port), "the server listens")
        clients = Clients(port)
        texts = way(
            recorder,
            clients.chats,
            "new_message",
            lambda n: {"text": f"number {n}", "client_id": str(uuid.uuid4())},
        )
        offers = way(
            recorder,
            clients.calls,
            "offer",
            lambda n: {
                "to": clients.second,
                "session": "one",
                "description": {"number": n, "sdp": "v=0"},
            },
        )
        for title, hops in (("a chat text", texts), ("an SDP offer", offers)):
            print(f"{title}: {len(hops)} functions")
            for path, function in hops:
                print(f"  {path} {function}")
        sys.stdout.flush()
    finally:
        os._exit(0)


def main() -> None:
    recorder = Recorder()
    threading.setprofile(recorder.profile)
    sys.setprofile(recorder.profile)
    call_command("migrate", verbosity=0)
    port = free_port()
    threading.Thread(target=measure, args=(recorder, port), daemon=True).start()
    call_command("runserver", "--noreload", f"127.0.0.1:{port}")


if __name__ == "__main__":
    main()
