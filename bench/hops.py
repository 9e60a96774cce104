"""`python -m bench.hops`: the functions of Noom that a chat text and an SDP offer pass through.

One server process, the sockets of two pages, and a profiler that notes each call of a function of
Noom's own between the frame of one client and the frame at the other. A function counts if every
repetition calls it, so no timer that came in between does. A coroutine that only goes on does not
count.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from bench import servers

FOLDER = tempfile.mkdtemp()
servers.set_up_django(
    DATABASE_URL=f"sqlite:///{FOLDER}/noom.sqlite3",
    RATE_LIMITS="0",
    # No heartbeat comes in between.
    HEARTBEAT_INTERVAL_S="40000",
    PRESENCE_LEASE_S="86400",
)

from django.core.management import call_command  # noqa: E402 - needs the settings

from tests.support.clients.websocket import Wire  # noqa: E402
from tests.support.servers.dev_server import ROOT, free_port, listens  # noqa: E402
from tests.support.waiting import until  # noqa: E402

REPEATS = 6
PAUSE_S = 0.5  # until the server is idle again
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


async def way(
    recorder: Recorder, pair: list[Wire], kind: str, payload: Callable[[int], dict[str, Any]]
) -> list[Hop]:
    """Return the functions that each of the repeated messages passes through, in order."""
    seen: list[list[Hop]] = []
    for number in range(REPEATS):
        await asyncio.sleep(PAUSE_S)
        message = payload(number)
        recorder.hops, recorder.is_on = [], True
        await pair[0].send(kind, **message)
        await pair[1].event(kind)
        recorder.is_on = False
        seen.append(list(dict.fromkeys(recorder.hops)))
    always = set(seen[0]).intersection(*seen)
    return [hop for hop in seen[-1] if hop in always]


async def ways(recorder: Recorder, url: str) -> dict[str, list[Hop]]:
    """Return both ways, between two people in a room and its call."""
    async with Wire(url, "/ws/chat/tea/") as nova, Wire(url, "/ws/chat/tea/") as mira:
        await nova.enter("Nova")
        await mira.enter("Mira")
        async with (
            Wire(url, "/ws/call/tea/", token=nova.token) as caller,
            Wire(url, "/ws/call/tea/", token=mira.token) as called,
        ):
            await caller.join("one")
            await called.join("one")

            def text(number: int) -> dict[str, Any]:
                return {"text": f"number {number}", "client_id": str(uuid.uuid4())}

            def offer(number: int) -> dict[str, Any]:
                description = {"number": number, "sdp": "v=0"}
                return {"to": mira.id, "session": "one", "description": description}

            return {
                "a chat text": await way(recorder, [nova, mira], "new_message", text),
                "an SDP offer": await way(recorder, [caller, called], "offer", offer),
            }


def measure(recorder: Recorder, port: int) -> None:
    """Print both ways, and end the process."""
    try:
        until(lambda: listens(port), "the server listens")
        for title, hops in asyncio.run(ways(recorder, f"http://127.0.0.1:{port}")).items():
            print(f"{title}: {len(hops)} functions")
            for path, function in hops:
                print(f"  {path} {function}")
        sys.stdout.flush()
    finally:
        shutil.rmtree(FOLDER)
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
