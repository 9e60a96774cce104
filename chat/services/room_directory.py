"""The list of open rooms for its watchers, made at most once a second.

A process makes it once for all of its watchers.
"""

import asyncio
import logging
from typing import NamedTuple

from chat import runtime
from chat.errors import Unavailable
from chat.protocol import codec
from chat.protocol.frames import Frame
from chat.protocol.messages import OpenRoom, RoomChangeEvent
from chat.realtime.hub import Subscriber
from chat.services import open_rooms, rooms

LISTING_INTERVAL_S = 1.0
MAX_SHOWN = 100  # the fullest rooms; a search by name finds further ones
LISTING_TIMEOUT_S = 2.0  # a page then comes without the list

log = logging.getLogger(__name__)


class Listing(NamedTuple):
    """The open rooms at one moment."""

    rooms: list[OpenRoom]
    frame: Frame  # as watchers receive it

    def found(self, words: str) -> list[OpenRoom]:
        """The first rooms whose names contain `words`; of all rooms if it is empty."""
        wanted = words.casefold()
        named = (room for room in self.rooms if wanted in room.name.casefold())
        return [room for room, _ in zip(named, range(MAX_SHOWN), strict=False)]


class RoomDirectory:
    """The watchers of the list in one process.

    The hub has it as one connection, which receives ticks and sends lists to the watchers.
    """

    id = ""
    connection_id = "lobby"
    session_id = ""

    def __init__(self, here: runtime.Runtime) -> None:
        self._hub = here.hub
        self._watchers: dict[Subscriber, Frame | None] = {}  # the last frame of each
        self._listing: asyncio.Task[Listing] | None = None  # the last list
        self._listed_at = 0.0
        self._refreshing: asyncio.Task[None] | None = None
        self._stale = False

    async def watch(self, watcher: Subscriber) -> None:
        """Send the list to a watcher, now and whenever it changes."""
        self._watchers[watcher] = None
        await self._hub.subscribe(rooms.DIRECTORY_GROUP, self)
        self._send(watcher, (await self.listing()).frame)

    async def unwatch(self, watcher: Subscriber) -> None:
        """Undo `watch`; harmless without it."""
        self._watchers.pop(watcher, None)
        if not self._watchers:
            await self._hub.unsubscribe(rooms.DIRECTORY_GROUP, self)

    async def glance(self) -> Listing | None:
        """The list for a page; None if it is unavailable now."""
        try:
            async with asyncio.timeout(LISTING_TIMEOUT_S):
                return await self.listing()
        except (TimeoutError, Unavailable) as error:
            log.warning("a page came without the list of rooms: %s", error or "no answer in time")
            return None

    async def listing(self) -> Listing:
        """The list, at most PAUSE_S old."""
        now = asyncio.get_running_loop().time()
        if (
            self._listing is None
            or _has_failed(self._listing)
            or now - self._listed_at >= LISTING_INTERVAL_S
        ):
            self._listing, self._listed_at = asyncio.create_task(_read_listing()), now
        else:
            self._refresh_soon()  # the hub was perhaps not subscribed since then
        return await asyncio.shield(self._listing)

    def send_frame(self, frame: Frame) -> None:
        """Refresh the list, because something about the rooms has changed."""
        self._refresh_soon()

    def close(self, code: int) -> None:
        """Do nothing, because nobody closes the lobby."""

    def _send(self, watcher: Subscriber, frame: Frame) -> None:
        if watcher not in self._watchers:
            return
        told = self._watchers[watcher]
        if told is None or told.payload != frame.payload:
            self._watchers[watcher] = frame
            watcher.send_frame(frame)

    def _refresh_soon(self) -> None:
        self._stale = True
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        now = asyncio.get_running_loop().time
        try:
            while self._stale and self._watchers:
                await asyncio.sleep(self._listed_at + LISTING_INTERVAL_S - now())
                self._stale = False
                try:
                    frame = (await self.listing()).frame
                except Unavailable as error:
                    log.warning("the list of rooms waits: %s", error)
                    self._stale = True
                    continue
                for watcher in list(self._watchers):
                    self._send(watcher, frame)
        except Exception:
            log.exception("the list of rooms could not be made")
        finally:
            self._refreshing = None


def _has_failed(made: "asyncio.Task[Listing]") -> bool:
    return made.done() and made.exception() is not None


async def _read_listing() -> Listing:
    found = await open_rooms.list_open_rooms()
    event = RoomChangeEvent(rooms=found[:MAX_SHOWN], total=len(found))
    return Listing(found, Frame(codec.event(event)))


def current() -> RoomDirectory:
    """Return the room list of this process."""
    return runtime.current().part(RoomDirectory)
