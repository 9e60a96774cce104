"""A room with people in it, at two processes, for those who try its doors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chat import tokens
from chat.names import keys
from chat.protocol import close_codes
from tests.support.clients.http_socket import FallbackWire
from tests.support.clients.protocol_client import Conversation
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process

# Closed as a broken client; or cut: what the client still sends (a pong) reaches a socket that is
# closed, and the kernel drops the goodbye for it.
REFUSED = (close_codes.BROKEN_CLIENT, 1006)
NAME = "Hidden! PLACE"
NICKNAME, TEXT = "Novalis", "between us: sesame"
SESSION = "nova-session"
# Whoever tries a thousand doors is one address.
LIFTED = {
    "JOINS_PER_S": "100000",
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


class _Remembering(Conversation):
    """Remembers all that it was ever told."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.heard: list[str] = []

    async def _take(self, text: str) -> None:
        self.heard.append(text)
        await super()._take(text)


class Ear(_Remembering, Wire):
    """A socket that does so."""

    @property
    def reading(self) -> "asyncio.Task[None]":
        """Ends with the socket, or with a frame that cannot be read."""
        return self._reader


class HttpEar(_Remembering, FallbackWire):
    """One over HTTP."""


@dataclass
class Room:
    """A room with its host at the first process, in the call, and where others may try it."""

    key: str
    here: Process
    there: Process
    host: Ear
    host_call: Ear
    lobby: Ear

    def facts(self) -> list[str]:
        """What somebody outside must not learn."""
        own = [NAME, NICKNAME, TEXT, SESSION, self.host.id, str(self.host.hello["version"])[:9]]
        return [*own, f"host-{self.key}"]


@asynccontextmanager
async def room(cluster: list[Process]) -> AsyncIterator[Room]:
    """The room, as long as its host is in it."""
    here, there = cluster
    key = keys.unlisted_key("hidden")
    token = tokens.mint(key=key, browser=f"host-{key}", room_name=NAME)
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(Ear(here.url, f"/ws/chat/{key}/", token=token))
        await host.enter(NICKNAME)
        call = await stack.enter_async_context(Ear(here.url, f"/ws/call/{key}/", token=token))
        await call.join(SESSION)
        lobby = await stack.enter_async_context(Ear(there.url, "/ws/lobby/"))
        await host.say(TEXT)
        await host.say("and more of it")
        yield Room(key, here, there, host, call, lobby)


async def ending(wire: Wire, seconds: float = 5) -> int | None:
    """The code with which a socket was closed; None if it lives."""
    try:
        async with asyncio.timeout(seconds * PATIENCE):
            return await wire.closing()
    except TimeoutError:
        return None
