"""One channel-layer subscription per room and process; hands what comes to the sockets of here."""

import asyncio
import contextlib
import logging
from itertools import starmap
from typing import Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

from channels.layers import BaseChannelLayer
from redis.exceptions import RedisError

from chat import closes, protocol
from chat.counts import counts
from chat.errors import Unavailable
from chat.frames import Frame

BUSY_S = 0.05  # a group to which something was sent within it is a busy one
GATHER_S = 0.005  # what is published to it then crosses the layer together, as one frame
MAX_GATHERED = 10_000  # in one group; past that what is published is lost, and healed
PUBLISH_DEADLINE_S = 2.0
RETRY_S = 1.0
MESSAGE_TYPE = "noom.event"  # the one type that crosses the layer; no client's text becomes one

log = logging.getLogger(__name__)


class Local(Protocol):
    """What the hub hands frames to: the socket of a participant of this process."""

    id: str  # the participant
    line: str  # this very connection

    def deliver(self, frame: Frame) -> None:
        """Takes a frame without waiting."""

    def drop(self, code: int) -> None:
        """Ends the connection with a close code."""


class _Item(NamedTuple):
    """An encoded event, or the close code of an end: for all of a group or for one participant
    in it, unless it is this very line."""

    what: bytes | int
    to: str | None = None
    unless: str | None = None


def _check(item: _Item) -> None:
    """Raises for what no process of ours publishes: an event is JSON, a close a number of ours."""
    if isinstance(item.what, bytes):
        protocol.check_event(item.what)
    elif item.what not in closes.ALL:
        raise ValueError(f"neither an event nor a close: {item.what!r:.100}")
    if not isinstance(item.to, str | None):
        raise ValueError(f"no participant: {item.to!r:.100}")


class Hub:
    """The groups that this process listens to, and who in it belongs to them."""

    def __init__(self, layer: BaseChannelLayer) -> None:
        self._layer = layer
        self._channel: str | None = None
        self._reader: asyncio.Task[None] | None = None
        self._locals: dict[str, set[Local]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # What is gathered for each busy group, and the task that sends it, in order.
        self._gathered: dict[str, list[_Item]] = {}
        self._senders: set[asyncio.Task[None]] = set()
        self._sent_at: dict[str, float] = {}  # of the groups of here

    async def join(self, group: str, local: Local) -> None:
        """From when this returns, `local` gets what is published to the group.

        Raises Unavailable if the layer does not answer; then it does not.
        """
        async with self._lock(group):
            here = self._locals.setdefault(group, set())
            here.add(local)
            if len(here) > 1:
                return
            try:
                async with asyncio.timeout(PUBLISH_DEADLINE_S):
                    await self._layer.group_add(group, await self._own_channel())
            except (RedisError, OSError, TimeoutError) as error:
                del self._locals[group]
                raise Unavailable(str(error)) from error

    async def leave(self, group: str, local: Local) -> None:
        """Undoes `join`; harmless if it was not in."""
        async with self._lock(group):
            here = self._locals.get(group, set())
            here.discard(local)
            if here or group not in self._locals:
                return
            del self._locals[group]
            self._sent_at.pop(group, None)
            try:
                async with asyncio.timeout(PUBLISH_DEADLINE_S):
                    await self._layer.group_discard(group, await self._own_channel())
            except (RedisError, OSError, TimeoutError):
                # It stays subscribed: what comes for it is dropped, and a later `join` finds it.
                log.warning("leaving %s failed", group, exc_info=True)

    def publish(self, group: str, event: bytes, *, to: str | None = None) -> None:
        """Sends an encoded event to all of the group, or to one participant in it.

        It is delivered at most once: whatever must arrive is healed by its number or its version.
        """
        self._gather(group, _Item(event, to))

    def publish_here(self, group: str, event: bytes) -> None:
        """Sends an encoded event to the group's sockets of this process alone."""
        self._hand_out(group, [_Item(event)])

    def drop(
        self, group: str, code: int, *, to: str | None = None, unless: str | None = None
    ) -> None:
        """Closes the sockets of the group, or of one participant in it, unless it is this line.

        Here at once: held back, it might meet the participant on a line that is newer still.
        """
        item = _Item(code, to, unless)
        self._drop_locals(group, code, item)
        self._gather(group, item)

    async def close(self) -> None:
        """Sends what is gathered, and stops listening."""
        if self._senders:
            await asyncio.wait(self._senders, timeout=PUBLISH_DEADLINE_S)
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None

    def _lock(self, group: str) -> asyncio.Lock:
        return self._locks.setdefault(group, asyncio.Lock())

    async def _own_channel(self) -> str:
        if self._channel is None:
            self._channel = await self._layer.new_channel()
            self._reader = asyncio.create_task(self._read(self._channel))
        return self._channel

    def _gather(self, group: str, item: _Item) -> None:
        gathered = self._gathered.get(group)
        if gathered is None:
            self._gathered[group] = [item]
            sender = asyncio.create_task(self._send_gathered(group))
            self._senders.add(sender)
            sender.add_done_callback(self._senders.discard)
        elif len(gathered) < MAX_GATHERED:
            gathered.append(item)
        else:
            counts.publish_failures += 1
            log.warning("too much waits for %s", group)

    async def _send_gathered(self, group: str) -> None:
        # In a quiet group the first goes at once, and what is for one alone (a signal) anywhere; in
        # a busy one what comes shortly goes together.
        now = asyncio.get_running_loop().time
        while self._gathered[group]:
            busy = now() - self._sent_at.get(group, 0) < BUSY_S
            if busy and self._gathered[group][0].to is None:
                await asyncio.sleep(GATHER_S)
            gathered, self._gathered[group] = self._gathered[group], []
            if group in self._locals:
                self._sent_at[group] = now()
            await self._send(group, gathered)
        del self._gathered[group]

    async def _send(self, group: str, items: list[_Item]) -> None:
        message = {"type": MESSAGE_TYPE, "group": group, "by": self._channel, "items": items}
        try:
            async with asyncio.timeout(PUBLISH_DEADLINE_S):
                await self._layer.group_send(group, message)
        except Exception:
            counts.publish_failures += len(items)
            log.warning("publishing to %s failed", group, exc_info=True)

    async def _read(self, channel: str) -> None:
        while True:
            try:
                self._take(await self._layer.receive(channel))
            except (RedisError, OSError, TimeoutError):
                log.warning("reading from the layer failed", exc_info=True)
                await asyncio.sleep(RETRY_S)
            except Exception:
                # What strangers put on the layer must not deafen this process, nor slow it.
                log.warning("garbage on the layer", exc_info=True)

    def _take(self, message: dict[str, Any]) -> None:
        group = message.get("group")
        if message.get("type") != MESSAGE_TYPE or group not in self._locals:
            return
        events: list[_Item] = []
        for item in starmap(_Item, message["items"]):
            _check(item)
            if isinstance(item.what, bytes):
                events.append(item)
            elif message["by"] != self._channel:  # our own ends were made at once
                self._hand_out(group, events)  # what was said before the end is heard
                self._drop_locals(group, item.what, item)
                events = []
        self._hand_out(group, events)

    def _drop_locals(self, group: str, code: int, item: _Item) -> None:
        for local in list(self._locals.get(group, ())):
            if item.to in (None, local.id) and local.line != item.unless:
                local.drop(code)

    def _hand_out(self, group: str, events: list[_Item]) -> None:
        """The hot path: one frame, encoded once, to every socket of the group that is here."""
        locals_here = self._locals.get(group)
        if not events or not locals_here:
            return
        addressed = {event.to for event in events if event.to is not None}
        common = _frame([event for event in events if event.to is None])
        delivered = 0
        for local in list(locals_here):
            if addressed and local.id in addressed:
                frame = _frame([event for event in events if event.to in (None, local.id)])
            else:
                frame = common
            if frame is not None:
                local.deliver(frame)
                delivered += 1
        counts.deliveries += delivered


def _frame(events: list[_Item]) -> Frame | None:
    encoded = [event.what for event in events if isinstance(event.what, bytes)]
    return Frame(protocol.batch(encoded)) if encoded else None
