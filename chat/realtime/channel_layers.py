"""The channel layers: of a single process, and of all that share one Redis or several."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.exceptions import RedisError

Take = Callable[[dict[str, Any]], None]

RETRY_S = 1.0

log = logging.getLogger(__name__)


class LocalLayer(InMemoryChannelLayer):
    """The stock one, which can hand on what is sent in the very moment.

    By its queues a message takes two more rounds of the loop, in each of which it waits for all
    that others have to do there. And with each message the stock one looks through all groups for
    what has expired, which here nothing does, and copies what here nobody changes.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._listeners: dict[str, Take] = {}

    def _clean_expired(self) -> None:
        pass

    def listen(self, channel: str, take: Take) -> None:
        """From now on `take` gets what is sent to the channel; its errors stop nothing."""
        self._listeners[channel] = take

    async def unlisten(self, channel: str) -> None:
        """Undoes `listen`; harmless if nobody listens."""
        self._listeners.pop(channel, None)

    def send_now(self, group: str, message: dict[str, Any]) -> None:
        """Hands the message itself to each of the group that listens."""
        for channel in self.groups.get(group, ()):
            if take := self._listeners.get(channel):
                try:
                    take(message)
                except Exception:
                    log.warning("garbage on the layer", exc_info=True)


class SharedLayer(RedisPubSubChannelLayer):
    """The stock one, which sends to one group after the other and waits for each answer; this one
    sends to many in one round trip."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._readers: dict[str, asyncio.Task[None]] = {}

    def listen(self, channel: str, take: Take) -> None:
        """From now on `take` gets what comes for the channel; its errors stop nothing."""
        self._readers[channel] = asyncio.create_task(self._read(channel, take))

    async def unlisten(self, channel: str) -> None:
        """Undoes `listen`; harmless if nobody listens."""
        if reader := self._readers.pop(channel, None):
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def _read(self, channel: str, take: Take) -> None:
        while True:
            try:
                take(await self.receive(channel))
            except (RedisError, OSError, TimeoutError):
                log.warning("reading from the layer failed", exc_info=True)
                await asyncio.sleep(RETRY_S)
            except Exception:
                # What strangers put on the layer must not deafen this process, nor slow it.
                log.warning("garbage on the layer", exc_info=True)

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
