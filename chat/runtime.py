"""What one process holds for its rooms: hub, presence, journal, rosters, and what beats."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.conf import settings

from chat import database, journal, protocol
from chat.hub import Hub
from chat.journal import Journal
from chat.messages import BeatEvent
from chat.presence import MemoryPresence
from chat.roster import Kind, Roster

FORGET_EVERY_S = 3600.0

log = logging.getLogger(__name__)


class Runtime:
    """The parts of a process, each made once; they live as long as its event loop."""

    def __init__(self) -> None:
        layer = get_channel_layer()
        if layer is None:
            raise RuntimeError("CHANNEL_LAYERS names no default layer")
        self.hub = Hub(layer)
        self.presence = MemoryPresence()
        self.journal = Journal()
        self._rosters: dict[str, Roster] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def roster(self, kind: Kind) -> Roster:
        """The places of a kind."""
        if kind.name not in self._rosters:
            self._rosters[kind.name] = Roster(kind, self.hub, self.presence)
        return self._rosters[kind.name]

    def rosters(self) -> list[Roster]:
        """All kinds of places."""
        return list(self._rosters.values())

    def start(self) -> None:
        """Begins to renew, to sweep and to beat; once."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(_every(settings.RENEW_S, self._renew_and_beat)),
                asyncio.create_task(_every(settings.RENEW_S / 5, self._sweep)),
                asyncio.create_task(_every(FORGET_EVERY_S, self._forget)),
            ]

    async def stop(self) -> None:
        """Undoes `start`, and stops listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self.hub.close()

    async def _renew_and_beat(self) -> None:
        rosters = self.rosters()
        leases = [lease for roster in rosters for lease in roster.leases()]
        await self.presence.renew(leases, settings.LEASE_S)
        keys = {key for roster in rosters for key in roster.local_keys()}
        heads = await database.read(journal.heads, list(keys)) if keys else {}
        for roster in rosters:
            for key in roster.local_keys():
                version = (await roster.snapshot(key)).version
                beat = protocol.event(BeatEvent(seq=heads.get(key, 0), version=version))
                self.hub.publish_here(roster.group(key), beat)

    async def _sweep(self) -> None:
        for place, change in await self.presence.expire():
            kind, _, key = place.partition(":")
            await self._rosters[kind].announce_lost(key, change)

    async def _forget(self) -> None:
        await database.read(journal.forget)


async def _every(seconds: float, step: Callable[[], Awaitable[None]]) -> None:
    """Takes a step again and again; one that fails is logged, and the next one is taken."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await step()
        except Exception:
            log.exception("%r failed", step)


_runtimes: WeakKeyDictionary[asyncio.AbstractEventLoop, Runtime] = WeakKeyDictionary()


def current() -> Runtime:
    """The runtime of the running event loop, of which a server has one."""
    loop = asyncio.get_running_loop()
    if loop not in _runtimes:
        _runtimes[loop] = Runtime()
    return _runtimes[loop]


async def shutdown() -> None:
    """Stops the runtime of the running event loop, if it has one."""
    runtime = _runtimes.pop(asyncio.get_running_loop(), None)
    if runtime is not None:
        await runtime.stop()
