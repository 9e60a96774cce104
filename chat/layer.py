"""The channel layers: of a single process, and of all that share one Redis or several."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer


class LocalLayer(InMemoryChannelLayer):
    """The stock one, without its rounds: with each message that looks through all groups for what
    has expired, which here nothing does, and copies what here nobody changes."""

    def _clean_expired(self) -> None:
        pass

    def lane(self, group: str) -> int:
        return 0

    async def group_send_many(self, messages: Mapping[str, dict[str, Any]]) -> None:
        """Hands each message itself to each channel of its group; a full one misses it."""
        expires = time.time() + self.expiry
        for group, message in messages.items():
            for channel in self.groups.get(group, ()):
                queue = self.channels.setdefault(channel, asyncio.Queue(self.get_capacity(channel)))
                with contextlib.suppress(asyncio.QueueFull):
                    queue.put_nowait((expires, message))


class SharedLayer(RedisPubSubChannelLayer):
    """The stock one, which sends to one group after the other and waits for each answer; this one
    sends to many in one round trip."""

    def lane(self, group: str) -> int:
        """The number of the Redis that the group is at."""
        layer = self._get_layer()
        lane: int = layer._shards.index(layer._get_shard(layer._get_group_channel_name(group)))
        return lane

    async def group_send_many(self, messages: Mapping[str, dict[str, Any]]) -> None:
        """Sends to groups of one lane; raises what Redis does."""
        layer = self._get_layer()
        shard = layer._get_shard(layer._get_group_channel_name(next(iter(messages))))
        async with shard._lock:  # as its own `publish` does
            shard._ensure_redis()
            async with shard._redis.pipeline(transaction=False) as pipe:
                for group, message in messages.items():
                    pipe.publish(layer._get_group_channel_name(group), self.serialize(message))
                await pipe.execute()
