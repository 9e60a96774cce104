"""The channel layers: one for a single process, one for processes that share Redis."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.exceptions import RedisError

from chat.realtime.hub import LAYER_TIMEOUT_S, MakeMessage, OnMessage
from chat.stats import counts

READ_RETRY_DELAY_S = 1.0  # until the next read after Redis has failed

log = logging.getLogger(__name__)


class InProcessLayer(InMemoryChannelLayer):
    """Channels' in-memory layer with synchronous delivery.

    The original queues each message, which takes two more iterations of the event loop, behind all
    other tasks. It also scans all groups for expired entries and copies each message; in this
    layer nothing expires, and nobody changes a message.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._listeners: dict[str, OnMessage] = {}

    def _clean_expired(self) -> None:
        pass

    def listen(self, channel: str, take: OnMessage) -> None:
        """Pass each message of a channel to `take`, whose errors stop nothing."""
        self._listeners[channel] = take

    async def unlisten(self, channel: str) -> None:
        """Undo `listen`; without a listener nothing changes."""
        self._listeners.pop(channel, None)

    def send_soon(self, group: str, make: MakeMessage) -> None:
        """Pass the message of a group to each of its listeners at once."""
        message = make(group)
        for channel in self.groups.get(group, ()):
            if take := self._listeners.get(channel):
                try:
                    take(message)
                except Exception:
                    log.warning("garbage on the layer", exc_info=True)

    async def drain(self) -> None:
        """Do nothing, because nothing waits."""


class RedisLayer(RedisPubSubChannelLayer):
    """Channels' Redis layer that sends to many groups in one round trip.

    The original sends to one group after the other and waits for each answer.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._readers: dict[str, asyncio.Task[None]] = {}
        # The due groups by shard. One task sends for a shard, so a group's messages keep their
        # order, and a Redis that does not answer delays no other.
        self._due: dict[int, dict[str, MakeMessage]] = {}
        self._senders: dict[int, asyncio.Task[None]] = {}

    def listen(self, channel: str, take: OnMessage) -> None:
        """Pass each message for a channel to `take`, whose errors stop nothing."""
        self._readers[channel] = asyncio.create_task(self._read(channel, take))

    async def unlisten(self, channel: str) -> None:
        """Undo `listen`; without a listener nothing changes."""
        if reader := self._readers.pop(channel, None):
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    def send_soon(self, group: str, make: MakeMessage) -> None:
        """Send the message of a group, made when its shard is free, with those of other groups."""
        shard = self._shard_number(group)
        self._due.setdefault(shard, {})[group] = make
        if shard not in self._senders:
            self._senders[shard] = asyncio.create_task(self._send_due(shard))

    async def drain(self) -> None:
        """Wait for the messages that are due, at most LAYER_TIMEOUT_S."""
        if self._senders:
            await asyncio.wait(self._senders.values(), timeout=LAYER_TIMEOUT_S)

    async def _read(self, channel: str, take: OnMessage) -> None:
        while True:
            try:
                take(await self.receive(channel))
            except (RedisError, OSError, TimeoutError):
                log.warning("reading from the layer failed", exc_info=True)
                await asyncio.sleep(READ_RETRY_DELAY_S)
            except Exception:
                # A broken message on the layer must neither deafen this process nor slow it.
                log.warning("garbage on the layer", exc_info=True)

    async def _send_due(self, shard: int) -> None:
        try:
            while due := self._due.pop(shard, {}):
                await self._send({group: make(group) for group, make in due.items()})
        finally:
            del self._senders[shard]

    async def _send(self, messages: dict[str, dict[str, Any]]) -> None:
        try:
            async with asyncio.timeout(LAYER_TIMEOUT_S):
                await self._publish(messages)
        except Exception:
            counts.publish_failures += sum(len(message["items"]) for message in messages.values())
            log.warning("publishing to %d groups failed", len(messages), exc_info=True)

    def _shard_number(self, group: str) -> int:
        layer = self._get_layer()
        number: int = layer._shards.index(layer._get_shard(layer._get_group_channel_name(group)))
        return number

    async def _publish(self, messages: Mapping[str, dict[str, Any]]) -> None:
        """Send to groups of one shard. Raises the errors of Redis."""
        layer = self._get_layer()
        shard = layer._get_shard(layer._get_group_channel_name(next(iter(messages))))
        async with shard._lock:  # as the `publish` of channels-redis does
            shard._ensure_redis()
            async with shard._redis.pipeline(transaction=False) as pipe:
                for group, message in messages.items():
                    pipe.publish(layer._get_group_channel_name(group), self.serialize(message))
                await pipe.execute()
