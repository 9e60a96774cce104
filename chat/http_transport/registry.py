"""The sessions of this process, and the way to those of other processes."""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing

from chat import runtime
from chat.http_transport.remote import RemoteSessions, Request
from chat.http_transport.requests import Close, Listen, Send
from chat.http_transport.session import Application, Batch, Session, SessionGone
from chat.realtime import redis_client

ID_BYTES = 18  # 144 bits, which nobody can guess
PROCESS_BYTES = 9
CHECK_INTERVAL_S = 0.5
MAX_REDIS_CONNECTIONS = 50
REDIS_POOL_TIMEOUT_S = 2.0  # wait for a free one of these connections
ENDED_SESSION_S = 2.0  # an ended session stays so long, for a page that has not received the end

log = logging.getLogger(__name__)
_signer = signing.Signer(salt="noom.http", sep=".")


@dataclass(slots=True)
class _Held:
    session: Session
    task: asyncio.Task[None]  # runs the consumer
    ended_at: float | None = None


class Sessions:
    """The sessions of a process.

    The signed name of a session holds its process, so that a forged name costs no query of Redis.
    """

    def __init__(self, here: runtime.Runtime) -> None:
        here.on_stop.append(self.stop)
        self.process = secrets.token_hex(PROCESS_BYTES)
        self._held: dict[str, _Held] = {}  # by secret
        self._watching: asyncio.Task[None] | None = None
        self._remote: RemoteSessions | None = None
        if settings.REDIS_URLS:
            redis = redis_client.client(
                settings.REDIS_URLS[0],
                connections=MAX_REDIS_CONNECTIONS,
                timeout_s=REDIS_POOL_TIMEOUT_S,
                **settings.REDIS_OPTIONS,
            )
            self._remote = RemoteSessions(redis, self.process, self.serve_here)

    async def open(self, scope: Mapping[str, Any], application: Application) -> str | None:
        """Open a session at the consumer of the scope's path; None if none accepts.

        Raises Unavailable if Redis is away.
        """
        if self._remote is not None:
            await self._remote.start()
        session = Session(scope["path"])
        secret = secrets.token_urlsafe(ID_BYTES)
        task = asyncio.create_task(_run(session, application, scope))
        self._held[secret] = _Held(session, task)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        if not await session.accepted:
            self._forget(secret)
            return None
        return _signer.sign(f"{self.process}:{secret}")

    async def serve(self, request: Request) -> Batch:
        """Serve a request in the process that holds its session.

        Raises Gone or Unavailable.
        """
        process, _ = _process_and_secret(request.head.session)
        if process == self.process:
            return await self.serve_here(request)
        if self._remote is None:
            raise SessionGone
        await self._remote.start()
        return await self._remote.request(process, request)

    async def serve_here(self, request: Request) -> Batch:
        """Serve a request for a session of this process. Raises Gone."""
        process, secret = _process_and_secret(request.head.session)
        held = self._held.get(secret)
        if process != self.process or held is None or held.session.path != request.path:
            raise SessionGone
        session = held.session
        match request.head:
            case Listen(turn=turn, after=after):
                session.acknowledge(after)
                return await session.poll(turn, max(after, request.since))
            case Send(number=number, after=after):
                session.acknowledge(after)
                session.receive_frames(number, request.frames)
            case Close(number=number, code=code):
                session.receive_frames(number, request.frames)
                session.end(code)
        return Batch()

    async def stop(self) -> None:
        """End all sessions of this process."""
        if self._watching is not None:
            self._watching.cancel()
        tasks = [held.task for held in self._held.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._remote is not None:
            await self._remote.stop()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_INTERVAL_S)
            now = time.monotonic()
            for secret, held in list(self._held.items()):
                if not held.session.ended:
                    held.session.check_timeouts()
                elif held.ended_at is None:
                    held.ended_at = now
                elif now - held.ended_at > ENDED_SESSION_S:
                    self._forget(secret)

    def _forget(self, secret: str) -> None:
        self._held.pop(secret).task.cancel()


async def _run(session: Session, application: Application, scope: Mapping[str, Any]) -> None:
    try:
        await application(scope, session.receive, session.send)
    except Exception:
        log.exception("a socket over HTTP failed")
    finally:
        session.fail()


def _process_and_secret(name: str) -> tuple[str, str]:
    """Return the process and the secret in a session's name.

    Raises Gone unless the name has a valid signature.
    """
    try:
        process, _, secret = _signer.unsign(name).partition(":")
    except signing.BadSignature as error:
        raise SessionGone from error
    return process, secret


def current() -> Sessions:
    """Return the sessions of this process, which end with its runtime."""
    return runtime.current().part(Sessions)
