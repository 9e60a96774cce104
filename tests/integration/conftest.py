"""People on the sockets of one process, without a server in between."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient
from redis.asyncio import Redis

from chat import runtime
from chat.realtime import rate_limits
from chat.storage import database
from tests.support.clients.asgi_client import Client, DirectClient
from tests.support.clients.asgi_http_client import HttpClient

# The transport of a test: WebSockets, at any server and at ours, or what a page falls
# back to.
TRANSPORTS: dict[str, Callable[..., Any]] = {
    "websocket": Client,
    "direct": DirectClient,
    "stream": HttpClient,
    "poll": partial(HttpClient, stream=False),
}
# Tests of what people do and may not do; each transport runs them.
BY_EACH_TRANSPORT = {
    "test_call",
    "test_chat",
    "test_convergence",
    "test_protocol_errors",
    "test_room_directory",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The check tests WebSockets; `make test` tests the others, too."""
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in BY_EACH_TRANSPORT and "connect" in metafunc.fixturenames:
        others = [pytest.param(name, marks=pytest.mark.live) for name in list(TRANSPORTS)[1:]]
        metafunc.parametrize("transport", ["websocket", *others])


@pytest.fixture
def transport() -> str:
    """The transport of a test that names none."""
    return "websocket"


@pytest.fixture(autouse=True)
def _one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the people of all tests come from one address, as fast as they can."""
    monkeypatch.setattr(settings, "CONNECTIONS_PER_S", 100_000.0)


@pytest.fixture(autouse=True)
def _database(transactional_db: None) -> None:
    """The journal commits from a thread of its own, so each test gets real transactions."""


@pytest.fixture(autouse=True)
async def _process() -> AsyncIterator[None]:
    """A process of its own for each test: nobody is in a room, nothing has been counted."""
    for url in settings.REDIS_URLS:
        async with Redis.from_url(url) as redis:
            await redis.flushall()
    yield
    await runtime.shutdown()
    await _threads_are_idle()
    assert rate_limits.addresses.open_sockets == 0, "a socket was not given back"


async def _threads_are_idle() -> None:
    """Returns when no question to the database is under way: the tables are emptied next, and what
    a cancelled task has sent completes all the same."""
    for ask, threads in (
        (database.query, database.READERS),
        (database.long_query, database.HISTORIANS),
    ):
        everyone = threading.Barrier(threads)
        await asyncio.gather(*(ask(everyone.wait) for _ in range(threads)))


@pytest.fixture
async def connect(transport: str) -> AsyncIterator[Callable[..., Any]]:
    """`await connect(path, …)`: a socket, closed when the test ends."""
    usual = transport
    async with AsyncExitStack() as stack:

        async def connect(path: str, *, transport: str = usual, **options: Any) -> Any:
            client = TRANSPORTS[transport](path, **options)
            stack.push_async_callback(client.close)
            await client.open()
            return client

        yield connect


@pytest.fixture
def enter(connect):
    """`await enter(nickname, key)`: a chat socket that has entered; its answer is `.hello`."""

    async def enter(nickname: str, key: str = "room", **options: Any) -> Client:
        client: Client = await connect(f"/ws/chat/{key}/", **options)
        client.hello = await client.request("enter_room", token=client.token, nickname=nickname)
        return client

    return enter


@pytest.fixture
def join(connect):
    """`await join(chat)`: the call socket of somebody who has entered; its answer is `.hello`."""

    async def join(chat: Client, session: str = "one", **options: Any) -> Client:
        client: Client = await connect(f"/ws/call/{chat.key}/", token=chat.token, **options)
        client.hello = await client.request("join_room", **client.joining(session))
        return client

    return join


@pytest.fixture
async def staff():
    """`await staff(*permissions)`: a browser logged in as staff who may do just that."""

    @sync_to_async
    def staff(*permissions: str, is_staff: bool = True) -> AsyncClient:
        user = User.objects.create_user("someone", password="x", is_staff=is_staff)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = AsyncClient()
        client.force_login(user)
        return client

    return staff


@pytest.fixture
def admin(staff):
    may = ("view_room", "change_room", "delete_room", "view_message", "view_ban", "delete_ban")
    return lambda: staff(*may)
