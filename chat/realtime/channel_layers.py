"""The channel layers: one for a single process, one for processes that share Redis."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.exceptions import RedisError

OnMessage = Callable[[dict[str, Any]], None]

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

    def send_now(self, group: str, message: dict[str, Any]) -> None:
        """Pass a message to each listener of a group at once."""
        for channel in self.groups.get(group, ()):
            if take := self._listeners.get(channel):
                try:
                    take(message)
                except Exception:
                    log.warning("garbage on the layer", exc_info=True)


class RedisLayer(RedisPubSubChannelLayer):
    """Channels' Redis layer that sends to many groups in one round trip.

    The original sends to one group after the other and waits for each answer.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._readers: dict[str, asyncio.Task[None]] = {}

    def listen(self, channel: str, take: OnMessage) -> None:
        """Pass each message for a channel to `take`, whose errors stop nothing."""
        self._readers[channel] = asyncio.create_task(self._read(channel, take))

    async def unlisten(self, channel: str) -> None:
        """Undo `listen`; without a listener nothing changes."""
        if reader := self._readers.pop(channel, None):
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

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

    def shard(self, group: str) -> int:
        """The number of the Redis that carries a group."""
        layer = self._get_layer()
        shard: int = layer._shards.index(layer._get_shard(layer._get_group_channel_name(group)))
        return shard

    async def group_send_many(self, messages: Mapping[str, dict[str, Any]]) -> None:
        """Send to groups of one lane. Raises the errors of Redis."""
        layer = self._get_layer()
        shard = layer._get_shard(layer._get_group_channel_name(next(iter(messages))))
        async with shard._lock:  # as the `publish` of channels-redis does
            shard._ensure_redis()
            async with shard._redis.pipeline(transaction=False) as pipe:
                for group, message in messages.items():
                    pipe.publish(layer._get_group_channel_name(group), self.serialize(message))
                await pipe.execute()
