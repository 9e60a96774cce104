"""Fan-out: one channel-layer subscription per group and process, delivered to its connections."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from itertools import starmap
from typing import Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

from redis.exceptions import RedisError

from chat.errors import Unavailable
from chat.protocol import close_codes, codec
from chat.protocol.frames import Frame, frame_of
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

    def check(self) -> None:
        """Raise ValueError for what no process publishes: neither JSON nor a known code."""
        if isinstance(self.content, bytes):
            codec.decode_event(self.content)
            self.content.decode()  # msgspec does not check the UTF-8 of what it only passes on
        elif self.content not in close_codes.ALL:
            raise ValueError(f"neither an event nor a close: {self.content!r:.100}")
        if not isinstance(self.to, str | None) or not isinstance(self.session_id, str | None):
            raise ValueError(f"no participant: {self.to!r:.100} {self.session_id!r:.100}")

    def is_for(self, subscriber: Subscriber) -> bool:
        """Return whether a subscriber receives this event."""
        return self.to is None or (
            self.to == subscriber.id and self.session_id in (None, subscriber.session_id)
        )


class _Group:
    """A group in this process: its connections, and what waits to leave or to be delivered."""

    __slots__ = ("delivered_at", "inbound", "outbound", "sent_at", "subscribers")

    def __init__(self) -> None:
        self.subscribers: set[Subscriber] = set()
        self.outbound: list[_Publication] = []
        self.inbound: list[tuple[bytes, _Publication]] = []  # events alone
        self.sent_at = self.delivered_at = 0.0


class Hub:
    """The groups that this process listens to, and their connections in it."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._channel: str | None = None
        # Those with subscribers, or with something that waits to leave.
        self._groups: defaultdict[str, _Group] = defaultdict(_Group)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def subscribe(self, group: str, subscriber: Subscriber) -> None:
        """Subscribe a connection to a group; it receives each event published after this.

        Raises Unavailable if the layer does not answer; then the connection is not subscribed.
        """
        async with self._lock(group):
            state = self._groups[group]
            state.subscribers.add(subscriber)
            if len(state.subscribers) > 1:
                return
            try:
                async with asyncio.timeout(LAYER_TIMEOUT_S):
                    await self._layer.group_add(group, await self._own_channel())
            except (RedisError, OSError, TimeoutError) as error:
                self._forget(group)
                raise Unavailable(str(error)) from error

    async def unsubscribe(self, group: str, subscriber: Subscriber) -> None:
        """Undo `subscribe`; for a connection that is not subscribed, nothing changes."""
        async with self._lock(group):
            state = self._groups.get(group)
            if state is None or subscriber not in state.subscribers:
                return
            state.subscribers.remove(subscriber)
            if state.subscribers:
                return
            self._forget(group)
            try:
                async with asyncio.timeout(LAYER_TIMEOUT_S):
                    await self._layer.group_discard(group, await self._own_channel())
            except (RedisError, OSError, TimeoutError):
                # The subscription remains. Its events are dropped; a later `subscribe` reuses it.
                log.warning("leaving %s failed", group, exc_info=True)

    def publish(
        self,
        group: str,
        content: bytes | int,
        *,
        to: str | None = None,
        connection_id: str | None = None,
        session_id: str | None = None,
    ) -> None:
        """Send an encoded event to a group, to one participant in it, or to a session of that.

        A close code ends connections at other processes (`disconnect`). Delivery is at most once. A
        page repairs a lost event by its number or its version.
        """
        # The first event of a quiet group goes at once, and so does a signal to one participant.
        # In a busy group the following events go together.
        loop, state = asyncio.get_running_loop(), self._groups[group]
        is_first = not state.outbound
        if len(state.outbound) < MAX_OUTBOUND:
            state.outbound.append(_Publication(content, to, connection_id, session_id))
        else:
            counts.publish_failures += 1
            log.warning("too much waits for %s", group)
        if to is not None or (is_first and loop.time() - state.sent_at >= BUSY_WINDOW_S):
            self._layer.send_soon(group, self._take_outbound)
        elif is_first:
            loop.call_later(OUTBOUND_BATCH_S, self._flush, group)

    def beat(self, group: str, event: bytes) -> None:
        """Send an encoded event and a ping to the connections of a group in this process."""
        if state := self._groups.get(group):
            frame = Frame(event, and_ping=True)
            here = list(state.subscribers)
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
        if state := self._groups.get(group):
            _disconnect(state, code, to, connection_id)
        self.publish(group, code, to=to, connection_id=connection_id)

    async def close(self) -> None:
        """Send the outbound events, and stop listening."""
        for group in list(self._groups):
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

    def _forget(self, group: str) -> None:
        """Drop a group without subscribers, but for what waits to leave."""
        outbound = self._groups.pop(group).outbound
        if outbound:
            self._groups[group].outbound = outbound

    def _flush(self, group: str) -> None:
        if group in self._groups and self._groups[group].outbound:
            self._layer.send_soon(group, self._take_outbound)

    def _take_outbound(self, group: str) -> dict[str, Any]:
        """The layer message with all outbound items of a group, which is sent now."""
        state = self._groups[group]
        items, state.outbound = state.outbound, []
        if state.subscribers:
            state.sent_at = asyncio.get_running_loop().time()
        else:
            del self._groups[group]
        return {"type": MESSAGE_TYPE, "group": group, "by": self._channel, "items": items}

    def _on_layer_message(self, message: dict[str, Any]) -> None:
        state = self._groups.get(message.get("group", ""))
        if message.get("type") != MESSAGE_TYPE or state is None or not state.subscribers:
            return
        items, is_ours = [*starmap(_Publication, message["items"])], message["by"] == self._channel
        # Its own name in a message is no proof: who can write to Redis can copy it.
        for item in items:
            item.check()
        for item in items:
            if isinstance(item.content, bytes):
                state.inbound.append((item.content, item))
            elif not is_ours:  # this process has closed its own connections already
                _fan_out(state)  # events before the close are delivered before it
                _disconnect(state, item.content, item.to, item.connection_id)
        # Events of several processes leave a busy group in one write, because a write costs more
        # than the rest. The own events of this process, and signals to one participant, do not
        # wait, and take waiting ones along.
        loop = asyncio.get_running_loop()
        at_once = is_ours or any(item.to is not None for item in items)
        if at_once or loop.time() - state.delivered_at > BUSY_WINDOW_S:
            _fan_out(state)
        else:
            loop.call_later(INBOUND_BATCH_S, _fan_out, state)


def _disconnect(group: _Group, code: int, to: str | None, connection_id: str | None) -> None:
    for subscriber in list(group.subscribers):
        if to in (None, subscriber.id) and connection_id in (None, subscriber.connection_id):
            subscriber.close(code)


def _fan_out(group: _Group) -> None:
    """Deliver the inbound events to the connections of a group. This is the hot path.

    A frame is encoded once for all connections.
    """
    events, group.inbound = group.inbound, []
    if not events or not group.subscribers:
        return
    group.delivered_at = asyncio.get_running_loop().time()
    addressed = {event.to for _, event in events if event.to is not None}
    common = frame_of([content for content, event in events if event.to is None])
    delivered = 0
    for subscriber in list(group.subscribers):
        if addressed and subscriber.id in addressed:
            frame = frame_of([content for content, event in events if event.is_for(subscriber)])
        else:
            frame = common
        if frame is not None:
            subscriber.send_frame(frame)
            delivered += 1
    counts.deliveries += delivered
