"""The list of open rooms, kept fresh for those who look at it: at most once a second a process."""

import asyncio
import logging
from weakref import WeakKeyDictionary

from chat import protocol, rooms, runtime
from chat.frames import Frame
from chat.hub import Hub, Local
from chat.messages import RoomChangeEvent

PAUSE_S = 1.0

log = logging.getLogger(__name__)


class Lobby:
    """The watchers of one process. To the hub it is a local of its own: ticks come, lists go."""

    id = ""
    line = "lobby"

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._watchers: set[Local] = set()
        self._refreshing: asyncio.Task[None] | None = None
        self._stale = False

    async def watch(self, watcher: Local) -> None:
        """Sends the list to a watcher, now and whenever it changes."""
        self._watchers.add(watcher)
        await self._hub.join(rooms.LOBBY_GROUP, self)
        watcher.deliver(await _frame())

    async def unwatch(self, watcher: Local) -> None:
        """Undoes `watch`; harmless if it was not watching."""
        self._watchers.discard(watcher)
        if not self._watchers:
            await self._hub.leave(rooms.LOBBY_GROUP, self)

    def deliver(self, frame: Frame) -> None:
        """Something about the rooms has changed."""
        self._stale = True
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())

    def drop(self, code: int) -> None:
        """Nobody closes the lobby."""

    async def _refresh(self) -> None:
        try:
            while self._stale and self._watchers:
                self._stale = False
                frame = await _frame()
                for watcher in list(self._watchers):
                    watcher.deliver(frame)
                await asyncio.sleep(PAUSE_S)
        except Exception:
            log.exception("the list of rooms could not be made")
        finally:
            self._refreshing = None


async def _frame() -> Frame:
    return Frame(protocol.event(RoomChangeEvent(rooms=await rooms.census())))


_lobbies: WeakKeyDictionary[runtime.Runtime, Lobby] = WeakKeyDictionary()


def current() -> Lobby:
    """The lobby of this process."""
    here = runtime.current()
    if here not in _lobbies:
        _lobbies[here] = Lobby(here.hub)
    return _lobbies[here]
