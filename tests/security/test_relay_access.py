"""The relay of deploy/.

Its clients, and the addresses that nobody reaches through it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from pytest_django import Settings

from call import ice_servers
from tests.support.clients.turn_client import IPV4, IPV6, TCP, TurnClient, turn_client
from tests.support.patience import PATIENCE
from tests.support.servers.coturn import Coturn
from tests.support.servers.dev_server import ROOT

Join = Callable[..., Awaitable[TurnClient]]

PARTICIPANT = "Vb7xq2"
LISTEN_S = 1
# The tests send nothing to these: a permission alone sends nothing.
ALLOWED_PEERS = ("1.1.1.1", "100.63.0.1", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1")
DENIED_PEERS = {
    "this network": ["0.0.0.0", "0.1.2.3"],  # noqa: S104 - bound to by nobody
    "private": ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.1.1"],
    "transport-grade NAT": ["100.64.0.1", "100.127.255.254"],
    "loopback": ["127.0.0.1", "127.8.8.8", "::1"],
    "link-local": ["169.254.0.1", "fe80::1", "febf::1"],
    "cloud metadata": ["169.254.169.254", "100.100.100.200", "fd00:ec2::254"],
    "protocol assignments": ["192.0.0.170", "192.88.99.1", "2001:10::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.254"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1"],
    "reserved and broadcast": ["240.0.0.1", "255.255.255.255"],
    "unspecified": ["::"],
    "IPv4-compatible": ["::10.0.0.0", "::127.0.0.1", "::192.168.1.1", "::0.0.1.0"],
    "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:0"],
    "IPv4-translated": ["::ffff:0:10.0.0.1"],
    "NAT64": ["64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1"],
    "6to4": ["2002:7f00:1::1", "2002:a00:1::", "2002:c0a8:101::1"],
    "Teredo": ["2001::1", "2001:0:a00:1::1"],
    "unique local": ["fc00::1", "fd12:3456:789a::1"],
    "site-local": ["fec0::1"],
    "discard": ["100::1"],
}
PEERS = [(kind, peer) for kind, peers in DENIED_PEERS.items() for peer in peers]
NO_IPV6 = not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists()


pytestmark = pytest.mark.target("S16")


@pytest.fixture(scope="module")
def start_coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Coturn]]:
    """Start a relay on loopback until the module's end: `start_coturn(*options)`."""
    relays: list[Coturn] = []

    def start(*options: str) -> Coturn:
        own = ["--relay-ip=127.0.0.1"] + ([] if NO_IPV6 else ["--relay-ip=::1"])
        relays.append(Coturn(tmp_path_factory.mktemp("coturn"), *own, *options))
        relays[-1].start()
        return relays[-1]

    yield start
    for relay in relays:
        relay.stop()


@pytest.fixture(scope="module")
def relay(start_coturn: Callable[..., Coturn]) -> Coturn:
    return start_coturn()


def credentials(settings: Settings, relay: Coturn, ttl_s: int = 60) -> tuple[str, str]:
    """Return Noom's credentials of a participant for this relay."""
    settings.TURN_URLS, settings.TURN_SECRET = [relay.url], relay.secret
    settings.TURN_TTL_S = ttl_s
    server = ice_servers.servers(PARTICIPANT)[-1]
    assert server.username
    assert server.credential
    return server.username, server.credential


def at(relay: Coturn) -> tuple[str, int]:
    return relay.host, relay.port


@pytest.fixture
async def member(settings: Settings) -> AsyncIterator[Join]:
    """Return a client with good credentials and a relayed address.

    `await member(relay, family)`
    """
    async with AsyncExitStack() as clients:

        async def join(relay: Coturn, family: int = IPV4) -> TurnClient:
            client = turn_client(at(relay), *credentials(settings, relay))
            allocated = await clients.enter_async_context(client)
            assert await allocated.allocate(family) == 200
            return allocated

        yield join


async def allocation(relay: Coturn, username: str | None, password: str | None) -> int:
    async with turn_client(at(relay), username, password) as client:
        return await client.allocate()


async def test_credentials_made_by_noom_are_good(relay: Coturn, settings: Settings):
    assert await allocation(relay, *credentials(settings, relay)) == 200


async def test_relay_refuses_missing_credentials(relay: Coturn):
    assert await allocation(relay, None, None) == 401


async def test_expired_credentials_are_refused(relay: Coturn, settings: Settings):
    assert await allocation(relay, *credentials(settings, relay, ttl_s=-5)) == 401


async def test_forged_credentials_are_refused(
    relay: Coturn, settings: Settings, figure: Callable[..., None]
):
    name, password = credentials(settings, relay)
    end, _, participant = name.partition(":")
    later = f"{int(end) + 3600}:{participant}"
    settings.TURN_SECRET = "another"
    other = ice_servers.servers(PARTICIPANT)[-1]
    forged = [
        (later, password),
        (f"{end}:somebody", password),
        (name, "guessed"),
        (name, ""),
        (participant, password),
        (other.username, other.credential),
    ]
    answers = [await allocation(relay, *pair) for pair in forged]
    figure("credentials granted", sum(answer != 401 for answer in answers), limit=0)


async def test_relay_reaches_no_peer_by_tcp(relay: Coturn, settings: Settings):
    async with turn_client(at(relay), *credentials(settings, relay)) as client:
        assert await client.allocate(transport=TCP) not in (200, 401)


def family(peer: str) -> int:
    return IPV6 if ":" in peer else IPV4


def needs_ipv6(peer: str) -> None:
    if family(peer) == IPV6 and NO_IPV6:
        pytest.skip("this machine has no IPv6")


@pytest.mark.parametrize("peer", ALLOWED_PEERS)
async def test_public_peers_are_allowed(relay: Coturn, member: Join, peer: str):
    needs_ipv6(peer)
    client = await member(relay, family(peer))
    assert (await client.permit(peer), await client.bind(peer)) == (200, 200)


@pytest.mark.parametrize(("kind", "peer"), PEERS, ids=lambda value: str(value).replace(" ", "-"))
async def test_relay_allows_no_other_peer(
    relay: Coturn, member: Join, figure: Callable[..., None], kind: str, peer: str
):
    needs_ipv6(peer)
    client = await member(relay, family(peer))
    answers = [await client.permit(peer), await client.bind(peer)]
    figure("peers granted", sum(answer != 403 for answer in answers), limit=0)


async def heard(client: TurnClient, listener: socket.socket) -> bool:
    """Return whether a packet of the client reaches this listener through the relay."""
    client.send(b"through", listener.getsockname()[:2])
    # The relay answers in order, so this answer proves that it has processed the send.
    await client.permit("1.1.1.1" if listener.family == socket.AF_INET else "2a00::1")
    loop = asyncio.get_running_loop()
    try:
        return bool(await asyncio.wait_for(loop.sock_recv(listener, 100), timeout=PATIENCE))
    except TimeoutError:
        return False


def listening(host: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    listener.setblocking(False)
    listener.bind((host, 0))
    return listener


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_send_without_permission_arrives_nowhere(
    relay: Coturn, start_coturn: Callable[..., Coturn], member: Join, host: str
):
    needs_ipv6(host)
    with closing(listening(host)) as listener:
        client = await member(relay, family(host))
        assert await client.permit(host) == 403
        assert not await heard(client, listener)
        # Proof that the listener would receive it: a relay that allows this peer, in its network.
        open_relay = start_coturn("--allow-loopback-peers", f"--allowed-peer-ip={host}")
        client = await member(open_relay, family(host))
        assert await client.permit(host) == 200
        assert await heard(client, listener)


async def test_log_and_the_process_list_show_no_secret(
    relay: Coturn, member: Join, settings: Settings
):
    await member(relay)
    assert relay.secret not in relay.log
    assert relay.secret not in relay.command_line()
    assert "\nstatic-auth-secret" not in (ROOT / "deploy" / "turnserver.conf").read_text()
