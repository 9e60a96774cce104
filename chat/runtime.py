"""The objects of one process, and its periodic tasks."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import msgspec
from channels.layers import get_channel_layer
from django.conf import settings

from chat.presence import heartbeat
from chat.presence.base import Change, Expired, Presence
from chat.presence.memory import MemoryPresence
from chat.presence.place_types import PLACE_TYPES, PlaceType
from chat.presence.redis import RedisPresence
from chat.presence.roster import Roster
from chat.protocol.messages import Member
from chat.realtime import redis_client
from chat.realtime.budgets import Budgets
from chat.realtime.hub import Hub
from chat.stats import LoopLag, counts
from chat.storage import deletions, retention
from chat.storage.journal import Journal

RETENTION_INTERVAL_S = 3600.0
RETENTION_DELAY_S = 5.0  # until the first run of the retention
MAX_CONCURRENT_ENTRIES = 4
MAX_CONCURRENT_ANNOUNCEMENTS = 4  # places with lost members; each takes a connection to Redis
MAX_REDIS_CONNECTIONS = 8
REDIS_POOL_TIMEOUT_S = 2.0  # wait for a free one of these connections
PROCESS = f"{socket.gethostname()}:{os.getpid()}"  # as administrators see it

T = TypeVar("T")

log = logging.getLogger(__name__)


class Runtime:
    """The objects of a process, made once; they live as long as its event loop."""

    def __init__(self) -> None:
        layer = get_channel_layer()
        if layer is None:
            raise RuntimeError("CHANNEL_LAYERS names no default layer")
        self.hub = Hub(layer)
        self.presence = _presence()
        self.journal = Journal()
        self.budgets = Budgets()
        self.loop_lag = LoopLag()
        # Bounds concurrent entries, so that the process serves members meanwhile.
        self.entry_limit = asyncio.Semaphore(MAX_CONCURRENT_ENTRIES)
        self._rosters = {
            name: Roster(kind, self.hub, self.presence) for name, kind in PLACE_TYPES.items()
        }
        self.heartbeat = heartbeat.Heartbeat(self.hub, self.presence, self.rosters())
        self._tasks: list[asyncio.Task[None]] = []
        self._jobs: set[asyncio.Task[object]] = set()  # all jobs under way
        self._deleting = asyncio.Lock()
        self.on_stop: list[Callable[[], Awaitable[None]]] = []  # closers of other modules
        self._parts: dict[Callable[[Runtime], Any], Any] = {}

    def roster(self, kind: PlaceType) -> Roster:
        """Return the roster of a kind of place."""
        return self._rosters[kind.name]

    def rosters(self) -> list[Roster]:
        """Return the rosters of all kinds of places."""
        return list(self._rosters.values())

    def part(self, make: "Callable[[Runtime], T]") -> T:
        """Return the one object of a class that another module adds, made at its first use."""
        if make not in self._parts:
            self._parts[make] = make(self)
        return cast(T, self._parts[make])

    def start(self) -> None:
        """Start heartbeats, repairs, sweeps, retention and the loop lag watch, once."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(
                    _every(settings.HEARTBEAT_INTERVAL_S / heartbeat.SLICES, self.heartbeat.beat)
                ),
                asyncio.create_task(
                    _every(settings.HEARTBEAT_INTERVAL_S / heartbeat.SLICES, self.heartbeat.repair)
                ),
                asyncio.create_task(_every(settings.HEARTBEAT_INTERVAL_S / 5, self._sweep)),
                asyncio.create_task(
                    _every(RETENTION_INTERVAL_S, self._delete_expired, first_s=RETENTION_DELAY_S)
                ),
                asyncio.create_task(self.loop_lag.watch()),
            ]

    async def stop(self) -> None:
        """Stop the periodic tasks, then the hub and presence."""
        for stop in self.on_stop:
            await stop()
        ending = [*self._tasks, *self._jobs]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._tasks = []
        await self.hub.close()
        await self.presence.close()

    async def run_job(self, job: Coroutine[Any, Any, object], *, timeout_s: float) -> bool:
        """Run a job, and wait at most `timeout_s` for its end.

        Returns False if the job goes on without its request. Raises what the job raises meanwhile;
        the log has its later failure.
        """
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        done, _ = await asyncio.wait({task}, timeout=timeout_s)
        if done:
            task.result()
        else:
            task.add_done_callback(_log_failure)
        return bool(done)

    async def finish_rooms(self) -> None:
        """Delete what remains of deleted rooms, in one call at a time.

        Deletions side by side would delay other writers.
        """
        async with self._deleting:
            await deletions.finish_rooms()

    async def _sweep(self) -> None:
        # Read before the check for late renewals: if the process stands still after that check, the
        # leases of its own members end after this time.
        now = await self.presence.now()
        await self.heartbeat.renew_if_late()
        more = True
        while more:
            lost, more = await self.presence.expire(now)
            await self._announce(lost)

    async def _announce(self, lost: list[Expired]) -> None:
        """Announce lost leases, in order within a place and several places at once."""
        places: dict[str, list[Change]] = {}
        for place, change in lost:
            places.setdefault(place, []).append(change)
        gate = asyncio.Semaphore(MAX_CONCURRENT_ANNOUNCEMENTS)

        async def announce(place: str, changes: list[Change]) -> None:
            kind, _, key = place.partition(":")
            counts.leases_expired[kind] += len(changes)
            async with gate:
                for change in changes:
                    await self._rosters[kind].announce_lost(key, change)

        announcing = [announce(place, changes) for place, changes in places.items()]
        for outcome in await asyncio.gather(*announcing, return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("announcing a lost lease failed", exc_info=outcome)

    async def _delete_expired(self) -> None:
        room = self._rosters["chat"]
        async with self._deleting:
            await retention.run(room.publish, lambda: room.member_counts())


def _log_failure(task: asyncio.Task[object]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("a deletion failed", exc_info=error)


def _presence() -> Presence:
    """Make presence in Redis if there is one, and in memory otherwise."""
    if not settings.REDIS_URLS:
        return MemoryPresence(process=PROCESS)
    # An unbounded pool keeps as many connections as were ever in use at once.
    redis = redis_client.client(
        settings.REDIS_URLS[0],
        connections=MAX_REDIS_CONNECTIONS,
        timeout_s=REDIS_POOL_TIMEOUT_S,
        **settings.REDIS_OPTIONS,
    )
    return RedisPresence(redis, _decode, PROCESS)


def _decode(place: str, record: bytes) -> Member:
    return msgspec.json.decode(record, type=PLACE_TYPES[place.partition(":")[0]].record)


async def _every(
    seconds: float, step: Callable[[], Awaitable[float | None]], *, first_s: float | None = None
) -> None:
    """Call a step periodically until the task is cancelled.

    A step may return the wait before the next one. After a failure, which is logged, the next step
    follows. `first_s` is the wait before the first step.
    """
    wait_s = seconds if first_s is None else first_s
    task = asyncio.current_task()
    # A step may catch the cancellation of this task as a failure of its own.
    while task is None or not task.cancelling():
        await asyncio.sleep(wait_s)
        wait_s = seconds
        try:
            wait_s = await step() or seconds
        except Exception:
            log.exception("%r failed", step)


_runtimes: WeakKeyDictionary[asyncio.AbstractEventLoop, Runtime] = WeakKeyDictionary()


def current() -> Runtime:
    """Return the runtime of the running event loop, of which a server has one."""
    loop = asyncio.get_running_loop()
    runtime = _runtimes.get(loop)
    if runtime is None:
        runtime = _runtimes[loop] = Runtime()
    return runtime


async def shutdown() -> None:
    """Stop the runtime of the running event loop, if there is one."""
    runtime = _runtimes.pop(asyncio.get_running_loop(), None)
    if runtime is not None:
        await runtime.stop()
