"""Watch of a participant's connections, which reports ICE failures."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from call.bot.peer import Peer
from call.protocol import IceFailed

LOOK_S = 1.0
NO_WAY_AFTER_S = 15.0  # as in static/js/webrtc/connection-watch.js


@dataclass
class CallWatch:
    """Reports an ICE failure once for each participant and outage.

    It watches participants and not connections, because a new connection that is only tried is no
    success. static/js/webrtc/connection-watch.js does this for pages.
    """

    peers: Callable[[], Mapping[str, Peer]]
    tell: Callable[[IceFailed], Awaitable[None]]
    _since: dict[str, float] = field(default_factory=dict)  # start of the outage
    _met: set[str] = field(default_factory=set)  # were connected before
    _told: set[str] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            for failure in self.look(time.monotonic()):
                await self.tell(IceFailed(failure))
            await asyncio.sleep(LOOK_S)

    def look(self, now: float) -> list[str]:
        """Return the failures to report now."""
        peers = self.peers()
        self._since = {id: since for id, since in self._since.items() if id in peers}
        for told in (self._met, self._told):
            told &= peers.keys()
        failures = []
        for id, peer in peers.items():
            if peer.pc.connectionState == "connected":
                self._met.add(id)
                self._told.discard(id)
                self._since.pop(id, None)
            elif self._is_long(id, now) and peer.pc.remoteDescription is not None:
                # ICE can fail only after the remote side has sent a description.
                self._told.add(id)
                failures.append("lost" if id in self._met else _failure(peer))
        return failures

    def _is_long(self, id: str, now: float) -> bool:
        since = self._since.setdefault(id, now)
        return id not in self._told and now - since >= NO_WAY_AFTER_S


def _failure(peer: Peer) -> str:
    urls = [url for server in peer.options.ice_servers for url in server.urls]
    has_relay = any(url.startswith(("turn:", "turns:")) for url in urls)
    found = peer.pc.localDescription
    return "no_relay" if has_relay and not (found and " typ relay" in found.sdp) else "no_path"
