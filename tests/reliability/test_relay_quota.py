"""One guest at the relay: its share of an address, and how long a removal takes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from call.ice_servers import NAMES_PER_ADDRESS
from chat.protocol import close_codes
from tests.security.test_permission_tables import pk_of
from tests.support.clients.admin_client import Admin
from tests.support.clients.turn_client import turn_client
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process
from tests.support.servers.coturn import Coturn

PAGES = 100
USER_QUOTA = 64  # deploy/turnserver.conf
GREED = 4_096  # allocations: all that the relay has
OTHERS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
VOID_S = 60

Credentials = tuple[str, str]

pytestmark = pytest.mark.target("D10")


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    relay = Coturn(tmp_path_factory.mktemp("coturn"), "--relay-ip=127.0.0.1")
    relay.start()
    yield relay
    relay.stop()


@pytest.fixture
def process(relay: Coturn, start_process: Callable[..., Process]) -> Process:
    """Noom with that relay and the settings of a fresh install."""
    return start_process(TURN_URLS=relay.url, TURN_SECRET=relay.secret, RATE_LIMITS="0")


@pytest.fixture
async def join(process: Process) -> AsyncIterator[Callable[..., object]]:
    """Put a guest into a room and its call: `await join(room, …)`.

    It returns both sockets, and the credentials.
    """
    async with AsyncExitStack() as sockets:

        async def join(room: str, **who: str) -> tuple[Wire, Wire, Credentials]:
            chat = Wire(process.url, f"/ws/chat/{room}/", **who)
            await (await sockets.enter_async_context(chat)).enter("Nova")
            call = Wire(process.url, f"/ws/call/{room}/", **{**who, "token": chat.token})
            await (await sockets.enter_async_context(call)).join()
            return chat, call, credentials(call.hello)

        yield join


def credentials(ack: dict[str, list[dict[str, str]]]) -> Credentials:
    """Return the relay credentials in an answer or an event."""
    server = ack["ice_servers"][-1]
    return server["username"], server["credential"]


async def allocate(relay: Coturn, pair: Credentials, held: AsyncExitStack) -> int:
    """Ask for an allocation that lives as long as `held`.

    It returns 200, or the code of the refusal.
    """
    client = await held.enter_async_context(turn_client((relay.host, relay.port), *pair))
    return await client.allocate()


async def test_one_guest_with_100_pages_does_not_exhaust_the_relay(relay, join, figure):
    async with AsyncExitStack() as held:
        # Each page load is without cookies, which is the relay's worst guest.
        pages = [await join(f"room-{n}", browser=f"b{n}") for n in range(PAGES)]
        pairs = [pair for _, _, pair in pages]
        assert len({name.partition(":")[2] for name, _ in pairs}) == NAMES_PER_ADDRESS
        granted, refused = 0, 0
        for n in range(GREED):
            got = await allocate(relay, pairs[n % PAGES], held) == 200
            granted, refused = granted + got, 0 if got else refused + 1
            if refused == PAGES:  # no credentials allow one more
                break
        figure("allocations of one address", granted, limit=NAMES_PER_ADDRESS * USER_QUOTA)
        assert granted == NAMES_PER_ADDRESS * USER_QUOTA, "the guest did not take all it could"
        others = [await join("elsewhere", browser=a, address=a) for a in OTHERS]
        answers = [await allocate(relay, pair, held) for _, _, pair in others]
        figure("others refused", sum(answer != 200 for answer in answers), limit=0)


async def test_removed_guest_loses_the_relay_within_a_minute(relay, process, join, figure):
    admin = await asyncio.to_thread(Admin, process)
    chat, call, pair = await join("removal", browser="hers")
    _, staying, _ = await join("removal", browser="mine")
    async with AsyncExitStack() as held:
        assert await allocate(relay, pair, held) == 200
        pk = await asyncio.to_thread(pk_of, admin, "removal")
        await asyncio.to_thread(admin.post, f"/admin/chat/room/{pk}/remove/{chat.id}/")
        removed = asyncio.get_running_loop().time()
        assert await call.closing() == close_codes.REMOVED
        last = call.waiting("ice_servers")
        newest = credentials(last[-1]["payload"]) if last else pair
        # The figure is the target; this deadline is for a busy machine.
        async with asyncio.timeout(VOID_S * PATIENCE):
            while await allocate(relay, newest, held) == 200:  # noqa: ASYNC110 - the relay tells nobody
                await asyncio.sleep(1)
        void_s = asyncio.get_running_loop().time() - removed
        figure("credentials of the removed are void after", void_s, limit=VOID_S, unit="s")
        late = len(call.waiting("ice_servers")) - len(last)
        figure("credentials sent after the removal", late, limit=0)
        renewed = credentials(staying.waiting("ice_servers")[-1]["payload"])
        assert await allocate(relay, renewed, held) == 200, "whoever stayed lost the relay, too"
