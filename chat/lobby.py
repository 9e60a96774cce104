"""The list of open rooms, kept fresh for those who look at it: made at most once a second in a
process, however many come to look."""

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
        self._watchers: dict[Local, Frame | None] = {}  # what each was told last
        self._made: asyncio.Task[Frame] | None = None  # the last list
        self._made_at = 0.0
        self._refreshing: asyncio.Task[None] | None = None
        self._stale = False

    async def watch(self, watcher: Local) -> None:
        """Sends the list to a watcher, now and whenever it changes."""
        self._watchers[watcher] = None
        await self._hub.join(rooms.LOBBY_GROUP, self)
        self._tell(watcher, await self._list())

    async def unwatch(self, watcher: Local) -> None:
        """Undoes `watch`; harmless if it was not watching."""
        self._watchers.pop(watcher, None)
        if not self._watchers:
            await self._hub.leave(rooms.LOBBY_GROUP, self)

    def deliver(self, frame: Frame) -> None:
        """Something about the rooms has changed."""
        self._refresh_soon()

    def drop(self, code: int) -> None:
        """Nobody closes the lobby."""

    def _tell(self, watcher: Local, frame: Frame) -> None:
        if watcher not in self._watchers:
            return
        told = self._watchers[watcher]
        if told is None or told.payload != frame.payload:
            self._watchers[watcher] = frame
            watcher.deliver(frame)

    async def _list(self) -> Frame:
        now = asyncio.get_running_loop().time()
        if self._made is None or _has_failed(self._made) or now - self._made_at >= PAUSE_S:
            self._made, self._made_at = asyncio.create_task(_frame()), now
        else:
            self._refresh_soon()  # it may be from before a time in which nobody listened
        return await asyncio.shield(self._made)

    def _refresh_soon(self) -> None:
        self._stale = True
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        now = asyncio.get_running_loop().time
        try:
            while self._stale and self._watchers:
                await asyncio.sleep(self._made_at + PAUSE_S - now())
                self._stale = False
                frame = await self._list()
                for watcher in list(self._watchers):
                    self._tell(watcher, frame)
        except Exception:
            log.exception("the list of rooms could not be made")
        finally:
            self._refreshing = None


def _has_failed(made: "asyncio.Task[Frame]") -> bool:
    return made.done() and made.exception() is not None


async def _frame() -> Frame:
    return Frame(protocol.event(RoomChangeEvent(rooms=await rooms.census())))


_lobbies: WeakKeyDictionary[runtime.Runtime, Lobby] = WeakKeyDictionary()


def current() -> Lobby:
    """The lobby of this process."""
    here = runtime.current()
    if here not in _lobbies:
        _lobbies[here] = Lobby(here.hub)
    return _lobbies[here]
