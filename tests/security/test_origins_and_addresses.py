"""S10 and S11: which pages may open sockets, and which address counts for them.

Forged headers change neither.
"""

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from chat.protocol import close_codes
from tests.integration.test_protocol_errors import FORBIDDEN_ORIGINS
from tests.support.clients import raw_http
from tests.support.servers.cluster import Process
from tests.support.servers.production import as_operated

SOCKETS = ("/ws/lobby/", "/ws/chat/room/", "/ws/call/room/")
CONFIGURED = "https://meet.example"
HELD = 3  # sockets that an address may hold in these tests


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Process]]:
    """Start `manage.py serve` until the module's end: `start(NAME="value", …)`."""
    started: list[Process] = []

    def start(**environment: str) -> Process:
        settings = as_operated() | {"ALLOWED_HOSTS": "localhost,127.0.0.1"} | environment
        process = Process(tmp_path_factory.mktemp("noom"), **settings)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.stop()


def admitted(port: int, path: str, origin: str | None, **headers: str) -> bool:
    """Return whether a page of this origin gets this socket.

    400 is for an invalid origin.
    """
    answer = raw_http.shake_hands(port, path, Origin=origin, Host=f"localhost:{port}", **headers)
    assert answer.status in (101, 400, 403), answer
    return answer.status == 101


@pytest.mark.target("S10")
def test_only_own_and_configured_origins_get_a_socket(start, figure):
    port = start(CSRF_TRUSTED_ORIGINS=CONFIGURED).port
    # The table of the quick test, where this server's port is 8000.
    table = [
        None if origin is None else _with_port(origin.decode(), port)
        for origin in FORBIDDEN_ORIGINS
    ]
    assert len(set(table)) == len(table) >= 12
    let_in = [(o, path) for o in table for path in SOCKETS if admitted(port, path, o)]
    figure("sockets of other origins", len(let_in), limit=0)
    own = [f"http://localhost:{port}", CONFIGURED]
    kept_out = [(o, path) for o in own for path in SOCKETS if not admitted(port, path, o)]
    figure("own pages without a socket", len(kept_out), limit=0)


@pytest.mark.target("S10")
def test_behind_a_proxy_the_scheme_of_the_page_counts(start, figure):
    port = start(TRUSTED_PROXIES="1").port
    wrong = [
        (origin, forwarded_scheme, path)
        for origin, forwarded_scheme, expected in (
            (f"https://localhost:{port}", "https", True),
            (f"http://localhost:{port}", "https", False),
            (f"https://localhost:{port}", "http", False),
            (f"http://localhost:{port}", "http", True),
        )
        for path in SOCKETS
        if admitted(port, path, origin, X_Forwarded_Proto=forwarded_scheme) != expected
    ]
    figure("schemes taken for another", len(wrong), limit=0)


def _with_port(origin: str, port: int) -> str:
    return origin.replace("8001", str(port + 1)).replace("8000", str(port))


# Forged by a client: unused names, another for each socket, and another person's.
FORGERIES = [
    {},
    {"X-Forwarded-For": "198.51.100.{n}"},
    {"X-Forwarded-For": "198.51.100.{n}, 198.51.100.{n}, 198.51.100.{n}"},
    {"X-Forwarded-For": "{other}"},
    {"Forwarded": "for=198.51.100.{n}"},
    {"Forwarded": "for={other}", "X-Real-IP": "{other}"},
    {"X-Real-IP": "198.51.100.{n}"},
    {"True-Client-IP": "198.51.100.{n}", "CF-Connecting-IP": "198.51.100.{n}"},
]


@pytest.mark.target("S11")
@pytest.mark.parametrize("proxies", [0, 1, 2])
async def test_limiter_counts_the_true_client_address(start, proxies, figure):
    port = start(TRUSTED_PROXIES=str(proxies), SOCKETS_PER_ADDRESS=str(HELD)).port
    slipped = blamed = 0
    for number, forged in enumerate(FORGERIES):
        mallory, other = f"127.0.{number}.7", f"127.0.{number}.8"
        async with AsyncExitStack() as stack:
            for n in range(HELD):
                headers = {name: value.format(n=n, other=other) for name, value in forged.items()}
                assert await gets_in(stack, port, proxies, mallory, headers)
            slipped += await gets_in(stack, port, proxies, mallory, headers)
            blamed += not await gets_in(stack, port, proxies, other, {})
    figure(f"forged addresses that counted, behind {proxies}", slipped, limit=0)
    figure(f"people who paid for a forger, behind {proxies}", blamed, limit=0)


def through(proxies: int, peer: str, sent: dict[str, str]) -> dict[str, str]:
    """Return a client's headers after proxies that each add the address of their client."""
    hops = [peer, *(f"10.0.0.{hop}" for hop in range(1, proxies))][:proxies]
    addresses = [*([sent["X-Forwarded-For"]] if "X-Forwarded-For" in sent else []), *hops]
    return {**sent, **({"X-Forwarded-For": ", ".join(addresses)} if addresses else {})}


async def gets_in(
    stack: AsyncExitStack, port: int, proxies: int, peer: str, sent: dict[str, str]
) -> bool:
    """Return whether a socket from this address stays open; the limiter ends others."""
    line = await stack.enter_async_context(
        connect(
            f"ws://127.0.0.1:{port}/ws/lobby/",
            origin=Origin(f"http://127.0.0.1:{port}"),
            additional_headers=through(proxies, peer, sent),
            # Behind proxies, the last proxy connects.
            local_addr=("127.0.0.1" if proxies else peer, 0),
        )
    )
    try:
        await line.recv()  # the list of rooms
    except ConnectionClosed as closed:
        if closed.rcvd is None or closed.rcvd.code != close_codes.FLOODING:
            raise
        return False
    return True
