"""A third implementation of WebRTC in a call: GStreamer, with aiortc and with Chromium."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from playwright.sync_api import Page

from call.bot.participant import Participant
from tests.support.browsers.media_checks import hears, shows_video
from tests.support.clients.bot_thread import Loop
from tests.support.clients.websocket import Wire
from tests.support.servers.dev_server import ROOT, Noom
from tests.support.waiting import until

# The system's: GStreamer's bindings are Debian's.
PROGRAM = ("/usr/bin/python3", str(ROOT / "tests" / "judges" / "gstreamer_peer.py"))
FRAMES = {"video": 30, "audio": 50}  # two seconds of a picture, one of sound
DEADLINE_S = 40.0


class GStreamer:
    """Somebody in a call of `noom` whose media are GStreamer's, and whose sockets are ours."""

    def __init__(self, call: Wire, process: asyncio.subprocess.Process) -> None:
        self.frames = {"video": 0, "audio": 0}
        self._call, self._process = call, process
        self._to: dict[str, Any] = {}

    def has_seen_enough(self) -> bool:
        """Whether a while of the other's picture and sound was decoded."""
        return all(self.frames[kind] >= enough for kind, enough in FRAMES.items())

    async def listen(self) -> None:
        """Hands on what others signal."""
        while True:
            event = await self._call.any_event()
            payload = event["payload"]
            if event["type"] == "offer":
                self._to = {"to": payload["from"], "session": payload["session"]}
                self._number = payload["description"]["number"]
                self._say(offer=payload["description"]["sdp"])
            elif event["type"] == "ice" and payload["candidate"]:
                candidate = payload["candidate"]
                index = candidate.get("sdpMLineIndex") or 0
                self._say(candidate=candidate["candidate"], index=index)

    async def speak(self) -> None:
        """Hands on what GStreamer signals."""
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            told = json.loads(line)
            if "frames" in told:
                self.frames = told["frames"]
            elif "answer" in told:
                description = {"number": self._number, "sdp": told["answer"]}
                await self._call.request("answer", description=description, **self._to)
            else:
                candidate = {"candidate": told["candidate"], "sdpMLineIndex": told["index"]}
                await self._call.request("ice", candidate=candidate, **self._to)

    def _say(self, **what: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what).encode() + b"\n")


@asynccontextmanager
async def gstreamer(noom: Noom, key: str) -> AsyncIterator[GStreamer]:
    """A GStreamer that has entered the room and joined its call."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*PROGRAM, stdin=pipe, stdout=pipe, limit=2**20)
    try:
        async with Wire(noom.url, f"/ws/chat/{key}/") as chat:
            await chat.enter("GStreamer")
            async with Wire(noom.url, f"/ws/call/{key}/", token=chat.token) as call:
                await call.join("gstreamer")
                peer = GStreamer(call, process)
                tasks = [asyncio.create_task(step()) for step in (peer.listen, peer.speak)]
                try:
                    yield peer
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_gstreamer_and_aiortc_exchange_media(noom: Noom):
    async with Participant(noom.url, "judged", "Nova") as nova, gstreamer(noom, "judged") as peer:
        async with asyncio.timeout(DEADLINE_S):
            while not peer.has_seen_enough():  # noqa: ASYNC110 - a state, and no event
                await asyncio.sleep(0.1)
            (other,) = nova.callers.keys() - {nova.id}
            while nova.frames_received(other)["camera"] < FRAMES["video"]:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
            assert nova.frames_received(other)["microphone"] > 0


def test_gstreamer_and_chromium_exchange_media(noom: Noom, person: Callable[..., Page]):
    page = person("Nova", "page", call=True)
    loop = Loop()
    visit = gstreamer(noom, "page")
    peer = loop.run(visit.__aenter__())
    try:
        until(peer.has_seen_enough, "GStreamer to see and hear Chromium", seconds=DEADLINE_S)
        shows_video(page, 1)
        hears(page, 1)
    finally:
        loop.run(visit.__aexit__(None, None, None))
        loop.stop()
