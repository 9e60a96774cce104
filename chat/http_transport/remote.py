"""Requests for the sessions of other processes, carried over Redis."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat.errors import Unavailable
from chat.http_transport.requests import Later
from chat.http_transport.session import LONG_POLL_S, Batch, SessionGone

RETRY_DELAY_S = 0.1
CHECK_INTERVAL_S = 0.3
UNREACHABLE_AFTER_S = 0.2  # a process whose channel has no listener for so long has ended
RESUBSCRIBE_S = 2.0  # after a loss of Redis, until other processes listen again
RESPONSE_TIMEOUT_S = LONG_POLL_S + 2.0
MAX_PENDING = 10_000  # requests of other processes under way; more are dropped
MAX_CONNECTIONS = 20
PREFIX = "noom:http:"

log = logging.getLogger(__name__)


class Request(Struct):
    """A page's request for a session, with its frames and the last number sent."""

    path: str
    head: Later
    frames: list[str]
    since: int = 0


class _RemoteRequest(Struct, tag="ask"):
    back_to: str
    number: int
    request: Request


class _RemoteResponse(Struct, tag="answer"):
    number: int
    batch: Batch | None  # None: there is no such session


class _Pending(NamedTuple):
    process: str
    answer: "asyncio.Future[Batch]"


_decoder = msgspec.msgpack.Decoder(_RemoteRequest | _RemoteResponse)


class RemoteSessions:
    """Sends requests to other processes, and answers their requests with `serve`.

    Redis may lose a published message. The request then fails, and the page repeats it, which is
    harmless. A channel without a listener shows that its process has ended.
    """

    def __init__(
        self, redis: Redis, process: str, serve: Callable[[Request], Awaitable[Batch]]
    ) -> None:
        self._redis, self._process, self._serve = redis, process, serve
        self._numbers = itertools.count()
        self._pending: dict[int, _Pending] = {}
        self._unreachable_since: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._subscribed = asyncio.Event()
        self._subscribed_since = 0.0
        self._connection_limit = asyncio.Semaphore(MAX_CONNECTIONS)

    async def start(self) -> None:
        """Wait until other processes can reach this one.

        Raises Unavailable if Redis is away.
        """
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._read()),
                asyncio.create_task(self._watch()),
            ]
        try:
            async with asyncio.timeout(2 * CHECK_INTERVAL_S):
                await self._subscribed.wait()
        except TimeoutError as error:
            raise Unavailable("Redis does not answer") from error

    async def stop(self) -> None:
        """Undo `start`, after the answers that are under way."""
        if self._serving:
            await asyncio.wait(self._serving, timeout=1)
        tasks = [*self._tasks, *self._serving]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks = []
        await self._redis.aclose()

    async def request(self, process: str, request: Request) -> Batch:
        """Send a request to the process that holds the session.

        Raises Gone if the process has no such session or has ended, and Unavailable if Redis is
        away.
        """
        number = next(self._numbers)
        answer: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
        self._pending[number] = _Pending(process, answer)
        question = msgspec.msgpack.encode(_RemoteRequest(self._process, number, request))
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                while not answer.done() and not await self._publish(process, question):
                    await asyncio.wait([answer], timeout=RETRY_DELAY_S)
                return await answer
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(str(error)) from error
        finally:
            del self._pending[number]

    async def _publish(self, process: str, message: bytes) -> bool:
        """Publish to a process; return whether it listens."""
        async with self._connection_limit:
            listeners = await self._redis.publish(PREFIX + process, message)
        self._note(process, int(listeners))
        return bool(listeners)

    def _note(self, process: str, listeners: int) -> None:
        """Record whether a process listens; fail its requests if it has ended."""
        now = time.monotonic()
        if listeners or now - self._subscribed_since < RESUBSCRIBE_S:
            self._unreachable_since.pop(process, None)
        elif now - self._unreachable_since.setdefault(process, now) >= UNREACHABLE_AFTER_S:
            for asked in list(self._pending.values()):
                if asked.process == process and not asked.answer.done():
                    asked.answer.set_exception(SessionGone)

    async def _read(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(PREFIX + self._process)
                    while True:
                        message = await pubsub.get_message(timeout=1.0)
                        if message is not None:
                            self._heard(message)
            except (RedisError, OSError, TimeoutError):
                log.debug("the way to other processes has lost Redis", exc_info=True)
            self._subscribed.clear()
            await asyncio.sleep(RETRY_DELAY_S)

    def _heard(self, message: dict[str, object]) -> None:
        if message["type"] == "subscribe":
            self._subscribed_since = time.monotonic()
            self._subscribed.set()
        if message["type"] != "message":
            return
        try:
            found = _decoder.decode(message["data"])  # type: ignore[arg-type]
        except msgspec.DecodeError:
            log.warning("garbage on the way from other processes", exc_info=True)
            return
        if isinstance(found, _RemoteResponse):
            self._settle(found)
        elif len(self._serving) < MAX_PENDING:
            task = asyncio.create_task(self._answer(found))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    def _settle(self, found: _RemoteResponse) -> None:
        asked = self._pending.get(found.number)
        if asked is None or asked.answer.done():
            return
        if found.batch is None:
            asked.answer.set_exception(SessionGone)
        else:
            asked.answer.set_result(found.batch)

    async def _answer(self, ask: _RemoteRequest) -> None:
        batch = None
        with contextlib.suppress(SessionGone):
            batch = await self._serve(ask.request)
        answer = msgspec.msgpack.encode(_RemoteResponse(ask.number, batch))
        with contextlib.suppress(RedisError, OSError, TimeoutError):  # the page repeats the request
            await self._publish(ask.back_to, answer)

    async def _watch(self) -> None:
        """Check the processes that requests wait for, and fail those of ended ones."""
        while True:
            await asyncio.sleep(CHECK_INTERVAL_S)
            waiting = sorted({asked.process for asked in self._pending.values()})
            if not waiting:
                self._unreachable_since.clear()
                continue
            try:
                found = await self._redis.pubsub_numsub(*(PREFIX + name for name in waiting))
            except (RedisError, OSError, TimeoutError):
                continue
            for process, (_, listeners) in zip(waiting, found, strict=True):
                self._note(process, int(listeners))
