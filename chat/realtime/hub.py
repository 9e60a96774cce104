"""Fan-out: one channel-layer subscription per group and process, delivered to its connections."""

import asyncio
import logging
from collections.abc import Callable
from itertools import starmap
from typing import Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

from redis.exceptions import RedisError

from chat.errors import Unavailable
from chat.protocol import close_codes, codec
from chat.protocol.frames import Frame
from chat.stats import counts

BUSY_WINDOW_S = 0.05  # a group that received something within this time is busy
# Wait of an outbound event in a busy group, to cross the layer with others.
OUTBOUND_BATCH_S = 0.005
# Wait of an inbound event in a busy group, to leave with others in one frame.
INBOUND_BATCH_S = 0.02
MAX_OUTBOUND = 10_000  # events of one group; past that events are lost, and repaired by number
LAYER_TIMEOUT_S = 2.0  # for Redis; past that the operation fails
MESSAGE_TYPE = "noom.event"  # the only type on the layer; no client's text becomes one

log = logging.getLogger(__name__)


OnMessage = Callable[[dict[str, Any]], None]
MakeMessage = Callable[[str], dict[str, Any]]  # of a group


class Layer(Protocol):
    """A channel layer (noom_project/server/channel_layers.py)."""

    async def new_channel(self) -> str:
        """The name of a new channel."""

    async def group_add(self, group: str, channel: str) -> None:
        """Let a channel receive the messages of a group."""

    async def group_discard(self, group: str, channel: str) -> None:
        """Undo `group_add`."""

    def listen(self, channel: str, take: OnMessage) -> None:
        """Pass each message for a channel to `take`, whose errors stop nothing."""

    async def unlisten(self, channel: str) -> None:
        """Undo `listen`."""

    def send_soon(self, group: str, make: MakeMessage) -> None:
        """Send the message of a group, which is made when it can go out."""

    async def drain(self) -> None:
        """Wait, for a bounded time, until nothing is left to send."""


class Subscriber(Protocol):
    """A subscriber of this process: the connection of a participant."""

    id: str  # the participant
    connection_id: str  # id of the connection
    session_id: str  # the session of a caller; empty elsewhere

    def send_frame(self, frame: Frame) -> None:
        """Take a frame without waiting."""

    def close(self, code: int) -> None:
        """Close the connection with a code."""


class _Publication(NamedTuple):
    """An encoded event or a close code, for a group, a participant in it or one connection."""

    content: bytes | int
    to: str | None = None
    connection_id: str | None = None
    session_id: str | None = None

    def is_for(self, subscriber: Subscriber) -> bool:
        """Return whether a subscriber receives this event."""
        return self.to is None or (
            self.to == subscriber.id and self.session_id in (None, subscriber.session_id)
        )


def _check(item: _Publication) -> None:
    """Raise ValueError for an item that no process publishes: neither JSON nor a known code."""
    if isinstance(item.content, bytes):
        codec.check_event(item.content)
    elif item.content not in close_codes.ALL:
        raise ValueError(f"neither an event nor a close: {item.content!r:.100}")
    if not isinstance(item.to, str | None) or not isinstance(item.session_id, str | None):
        raise ValueError(f"no participant: {item.to!r:.100} {item.session_id!r:.100}")


class Hub:
    """The groups that this process listens to, and their connections in it."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._channel: str | None = None
        self._subscribers: dict[str, set[Subscriber]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._outbound: dict[str, list[_Publication]] = {}  # by group
        self._sent_at: dict[str, float] = {}  # of groups with connections in this process
        # Inbound events of busy groups that are not delivered yet.
        self._inbound: dict[str, list[_Publication]] = {}
        self._fanned_out_at: dict[str, float] = {}

    async def subscribe(self, group: str, subscriber: Subscriber) -> None:
        """Subscribe a connection to a group; it receives each event published after this.

        Raises Unavailable if the layer does not answer; then the connection is not subscribed.
        """
        async with self._lock(group):
            here = self._subscribers.setdefault(group, set())
            here.add(subscriber)
            if len(here) > 1:
                return
            try:
                async with asyncio.timeout(LAYER_TIMEOUT_S):
                    await self._layer.group_add(group, await self._own_channel())
            except (RedisError, OSError, TimeoutError) as error:
                del self._subscribers[group]
                raise Unavailable(str(error)) from error

    async def unsubscribe(self, group: str, subscriber: Subscriber) -> None:
        """Undo `subscribe`; for a connection that is not subscribed, nothing changes."""
        async with self._lock(group):
            here = self._subscribers.get(group, set())
            here.discard(subscriber)
            if here or group not in self._subscribers:
                return
            del self._subscribers[group]
            for kept in (self._sent_at, self._fanned_out_at, self._inbound):
                kept.pop(group, None)
            try:
                async with asyncio.timeout(LAYER_TIMEOUT_S):
                    await self._layer.group_discard(group, await self._own_channel())
            except (RedisError, OSError, TimeoutError):
                # The subscription remains. Its events are dropped; a later `subscribe` reuses it.
                log.warning("leaving %s failed", group, exc_info=True)

    def publish(
        self, group: str, event: bytes, *, to: str | None = None, session_id: str | None = None
    ) -> None:
        """Send an encoded event to a group, to one participant in it, or to a session of that.

        Delivery is at most once. A page repairs a lost event by its number or its version.
        """
        self._enqueue(group, _Publication(event, to, session_id=session_id))

    def beat(self, group: str, event: bytes) -> None:
        """Send an encoded event and a ping to the connections of a group in this process."""
        frame = Frame(event, and_ping=True)
        here = list(self._subscribers.get(group, ()))
        for subscriber in here:
            subscriber.send_frame(frame)
        counts.deliveries += len(here)

    def disconnect(
        self, group: str, code: int, *, to: str | None = None, connection_id: str | None = None
    ) -> None:
        """Close the connections of a group, of a participant in it, or one connection.

        In this process the close is immediate. Delayed, it could meet a participant who has
        returned on a newer connection.
        """
        item = _Publication(code, to, connection_id)
        self._disconnect_here(group, code, item)
        self._enqueue(group, item)

    async def close(self) -> None:
        """Send the outbound events, and stop listening."""
        for group in list(self._outbound):
            self._flush(group)
        await self._layer.drain()
        if self._channel is not None:
            await self._layer.unlisten(self._channel)

    def _lock(self, group: str) -> asyncio.Lock:
        return self._locks.setdefault(group, asyncio.Lock())

    async def _own_channel(self) -> str:
        if self._channel is None:
            self._channel = await self._layer.new_channel()
            self._layer.listen(self._channel, self._on_layer_message)
        return self._channel

    def _enqueue(self, group: str, item: _Publication) -> None:
        # The first event of a quiet group goes at once, and so does a signal to one participant.
        # In a busy group the following events go together.
        loop = asyncio.get_running_loop()
        gathered = self._outbound.get(group)
        if gathered is None:
            self._outbound[group] = [item]
            if item.to is None and loop.time() - self._sent_at.get(group, 0) < BUSY_WINDOW_S:
                loop.call_later(OUTBOUND_BATCH_S, self._flush, group)
                return
        elif len(gathered) < MAX_OUTBOUND:
            gathered.append(item)
        else:
            counts.publish_failures += 1
            log.warning("too much waits for %s", group)
        if gathered is None or item.to is not None:
            self._flush(group)

    def _flush(self, group: str) -> None:
        if group in self._outbound:
            self._layer.send_soon(group, self._message)

    def _message(self, group: str) -> dict[str, Any]:
        """The layer message with all outbound items of a group, which is sent now."""
        if group in self._subscribers:
            self._sent_at[group] = asyncio.get_running_loop().time()
        items = self._outbound.pop(group)
        return {"type": MESSAGE_TYPE, "group": group, "by": self._channel, "items": items}

    def _on_layer_message(self, message: dict[str, Any]) -> None:
        group = message.get("group")
        if message.get("type") != MESSAGE_TYPE or group not in self._subscribers:
            return
        items, is_ours = [*starmap(_Publication, message["items"])], message["by"] == self._channel
        # Its own name in a message is no proof: who can write to Redis can copy it.
        for item in items:
            _check(item)
        for item in items:
            if isinstance(item.content, bytes):
                self._inbound.setdefault(group, []).append(item)
            elif not is_ours:  # this process has closed its own connections already
                self._fan_out_inbound(group)  # events before the close are delivered before it
                self._disconnect_here(group, item.content, item)
        self._fan_out_soon(group, is_ours or any(item.to is not None for item in items))

    def _fan_out_soon(self, group: str, at_once: bool) -> None:
        # Events of several processes leave a busy group in one write, because a write costs more
        # than the rest. The own events of this process do not wait, and take waiting ones along.
        loop = asyncio.get_running_loop()
        if at_once or loop.time() - self._fanned_out_at.get(group, 0) > BUSY_WINDOW_S:
            self._fan_out_inbound(group)
        else:
            loop.call_later(INBOUND_BATCH_S, self._fan_out_inbound, group)

    def _fan_out_inbound(self, group: str) -> None:
        if events := self._inbound.pop(group, None):
            self._fanned_out_at[group] = asyncio.get_running_loop().time()
            self._fan_out(group, events)

    def _disconnect_here(self, group: str, code: int, item: _Publication) -> None:
        for subscriber in list(self._subscribers.get(group, ())):
            if item.to in (None, subscriber.id) and item.connection_id in (
                None,
                subscriber.connection_id,
            ):
                subscriber.close(code)

    def _fan_out(self, group: str, events: list[_Publication]) -> None:
        """Deliver events to the connections of a group in this process. This is the hot path.

        A frame is encoded once for all connections.
        """
        locals_here = self._subscribers.get(group)
        if not events or not locals_here:
            return
        addressed = {event.to for event in events if event.to is not None}
        common = _frame([event for event in events if event.to is None])
        delivered = 0
        for subscriber in list(locals_here):
            if addressed and subscriber.id in addressed:
                frame = _frame([event for event in events if event.is_for(subscriber)])
            else:
                frame = common
            if frame is not None:
                subscriber.send_frame(frame)
                delivered += 1
        counts.deliveries += delivered


def _frame(events: list[_Publication]) -> Frame | None:
    encoded = [event.content for event in events if isinstance(event.content, bytes)]
    return Frame(codec.batch(encoded)) if encoded else None
