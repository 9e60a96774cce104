"""A room with people in it, at two processes, as the target of attacks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chat import tokens
from chat.names import keys
from chat.protocol import close_codes
from tests.support.clients.http_socket import HttpWire
from tests.support.clients.protocol_client import ProtocolClient
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process

# A close as for a broken client, or a cut: a pong of the client reaches a socket that is closed,
# and then the kernel drops the close frame.
REFUSED = (close_codes.BROKEN_CLIENT, 1006)
NAME = "Hidden! PLACE"
NICKNAME, TEXT = "Novalis", "between us: sesame"
SESSION = "nova-session"
# An attack with a thousand tries comes from one address.
WITHOUT_RATE_LIMITS = {
    "CONNECTIONS_PER_S": "100000",
    "MESSAGES_PER_S": "1000",
    "SIGNALS_PER_S": "1000",
    "MESSAGES_PER_ADDRESS_PER_S": "10000",
    "MESSAGES_PER_ROOM_PER_S": "10000",
    "HISTORY_KB_PER_S": "100000",
    "HISTORY_KB_PER_ADDRESS_PER_S": "100000",
    "MB_PER_ADDRESS_PER_DAY": "10000",
    "MB_PER_ROOM_PER_DAY": "10000",
    "ROOMS_PER_ADDRESS_PER_DAY": "100000",
    "CALL_CAPACITY": "16",
    "ROOM_CAPACITY": "24",
}


class _Remembering(ProtocolClient):
    """Keep every frame that was received."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.heard: list[str] = []

    async def _take(self, text: str) -> None:
        self.heard.append(text)
        await super()._take(text)


class RecordingSocket(_Remembering, Wire):
    """A WebSocket that keeps every frame."""

    @property
    def reading(self) -> "asyncio.Task[None]":
        """End with the socket, or with a frame that cannot be decoded."""
        return self._reader


class RecordingHttpSocket(_Remembering, HttpWire):
    """A socket over HTTP that keeps every frame."""


@dataclass
class TargetRoom:
    """A room with its host at the first process, in the call.

    Attacks come over the second process, `there`, too.
    """

    key: str
    here: Process
    there: Process
    host: RecordingSocket
    host_call: RecordingSocket
    lobby: RecordingSocket

    def facts(self) -> list[str]:
        """Return the facts that an outsider must not learn."""
        own = [NAME, NICKNAME, TEXT, SESSION, self.host.id, str(self.host.hello["version"])[:9]]
        return [*own, f"host-{self.key}"]


@asynccontextmanager
async def room(cluster: list[Process]) -> AsyncIterator[TargetRoom]:
    """Keep the room open while the block runs, with its host in it."""
    here, there = cluster
    key = keys.unlisted_key("hidden")
    token = tokens.issue(key=key, browser=f"host-{key}", room_name=NAME)
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(
            RecordingSocket(here.url, f"/ws/chat/{key}/", token=token)
        )
        await host.enter(NICKNAME)
        call = await stack.enter_async_context(
            RecordingSocket(here.url, f"/ws/call/{key}/", token=token)
        )
        await call.join(SESSION)
        lobby = await stack.enter_async_context(RecordingSocket(there.url, "/ws/lobby/"))
        await host.post(TEXT)
        await host.post("and more of it")
        yield TargetRoom(key, here, there, host, call, lobby)


async def ending(wire: Wire, seconds: float = 5) -> int | None:
    """Return the code with which a socket was closed; None if it lives."""
    try:
        async with asyncio.timeout(seconds * PATIENCE):
            return await wire.closing()
    except TimeoutError:
        return None
