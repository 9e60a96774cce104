"""One channel-layer subscription per room and process; hands what comes to the sockets of here."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from typing import Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

from channels.layers import BaseChannelLayer
from redis.exceptions import RedisError

from chat import protocol
from chat.errors import Unavailable

GATHER_S = 0.005  # events of this long go out as one frame
PUBLISH_DEADLINE_S = 2.0
RETRY_S = 1.0
MESSAGE_TYPE = "noom.event"  # the one type that crosses the layer; no client's text becomes one

log = logging.getLogger(__name__)


class Local(Protocol):
    """What the hub hands frames to: the socket of a participant of this process."""

    id: str  # the participant
    line: str  # this very connection

    def deliver(self, frame: str) -> None:
        """Takes a frame without waiting."""

    def drop(self, code: int) -> None:
        """Ends the connection with a close code."""


class _Event(NamedTuple):
    encoded: bytes
    to: str | None


class Hub:
    """The groups that this process listens to, and who in it belongs to them."""

    def __init__(self, layer: BaseChannelLayer) -> None:
        self._layer = layer
        self._channel: str | None = None
        self._reader: asyncio.Task[None] | None = None
        self._locals: dict[str, set[Local]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._gathered: defaultdict[str, list[_Event]] = defaultdict(list)

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
            self._gathered.pop(group, None)
            try:
                async with asyncio.timeout(PUBLISH_DEADLINE_S):
                    await self._layer.group_discard(group, await self._own_channel())
            except (RedisError, OSError, TimeoutError):
                # It stays subscribed: what comes for it is dropped, and a later `join` finds it.
                log.warning("leaving %s failed", group, exc_info=True)

    async def publish(self, group: str, event: bytes, *, to: str | None = None) -> None:
        """Sends an encoded event to all of the group, or to one participant in it.

        It is delivered at most once: whatever must arrive is healed by its number or its version.
        """
        await self._send(group, {"event": event, "to": to})

    def publish_here(self, group: str, event: bytes) -> None:
        """Sends an encoded event to the group's sockets of this process alone."""
        if group in self._locals:
            self._gather(group, _Event(event, None))

    async def drop(
        self, group: str, code: int, *, to: str | None = None, unless: str | None = None
    ) -> None:
        """Closes the sockets of the group, or of one participant in it, unless it is this line."""
        await self._send(group, {"close": code, "to": to, "unless": unless})

    async def close(self) -> None:
        """Stops listening."""
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

    async def _send(self, group: str, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(PUBLISH_DEADLINE_S):
                await self._layer.group_send(
                    group, {"type": MESSAGE_TYPE, "group": group, **message}
                )
        except Exception:
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
        group, to = message.get("group"), message.get("to")
        if message.get("type") != MESSAGE_TYPE or group not in self._locals:
            return
        if "close" in message:
            self._drop_locals(group, message["close"], to, message.get("unless"))
            return
        self._gather(group, _Event(message["event"], to))

    def _gather(self, group: str, event: _Event) -> None:
        if not self._gathered[group]:
            asyncio.get_running_loop().call_later(GATHER_S, self._flush, group)
        self._gathered[group].append(event)

    def _drop_locals(self, group: str, code: int, to: str | None, unless: str | None) -> None:
        self._flush(group)  # what was said before the end is heard
        for local in list(self._locals[group]):
            if to in (None, local.id) and local.line != unless:
                local.drop(code)

    def _flush(self, group: str) -> None:
        events = self._gathered.pop(group, None)
        if not events:
            return
        common = [event.encoded for event in events if event.to is None]
        addressed = {event.to for event in events if event.to is not None}
        frame = protocol.batch(common) if common else None
        for local in list(self._locals.get(group, ())):
            if local.id in addressed:
                own = [event.encoded for event in events if event.to in (None, local.id)]
                local.deliver(protocol.batch(own))
            elif frame is not None:
                local.deliver(frame)
