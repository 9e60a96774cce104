"""A TURN client that sends exactly what a test wants, on aioice's STUN messages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from aioice import stun
from aioice.turn import TurnClientUdpProtocol

Address = tuple[str, int]

LIFETIME_S = 600
UDP = 17 << 24
TCP = 6 << 24
IPV4, IPV6 = 1 << 24, 2 << 24
# RFC 8656 section 18.7; aioice only ever asks for IPv4, and so does not know it.
FAMILY = "REQUESTED-ADDRESS-FAMILY"
_ENTRY = (0x0017, FAMILY, stun.pack_unsigned, stun.unpack_unsigned)
stun.ATTRIBUTES_BY_NAME[FAMILY] = stun.ATTRIBUTES_BY_TYPE[_ENTRY[0]] = _ENTRY


_used_ports: set[int] = set()


class TurnClient(TurnClientUdpProtocol):
    """One allocation; methods return the code of a refusal, else 200."""

    def __init__(self, server: Address, username: str | None, password: str | None) -> None:
        super().__init__(server, username, password, LIFETIME_S, LIFETIME_S)
        self._channel = 0x4000

    async def allocate(self, family: int = IPV4, transport: int = UDP) -> int:
        """Ask for a relayed address, which is then in `relayed_address`."""
        request = self._request(stun.Method.ALLOCATE)
        request.attributes |= {"LIFETIME": LIFETIME_S, "REQUESTED-TRANSPORT": transport}
        request.attributes[FAMILY] = family
        return await _code(self._allocate(request))

    async def keep(self) -> int:
        """Refresh the allocation."""
        request = self._request(stun.Method.REFRESH)
        request.attributes["LIFETIME"] = LIFETIME_S
        return await _code(self.request_with_retry(request))

    async def permit(self, peer: str) -> int:
        """Send CreatePermission for a peer's address."""
        request = self._request(stun.Method.CREATE_PERMISSION)
        request.attributes["XOR-PEER-ADDRESS"] = (peer, 0)
        return await _code(self.request_with_retry(request))

    async def bind(self, peer: str, port: int = 9) -> int:
        """Send ChannelBind for a peer."""
        self._channel += 1
        return await _code(self.channel_bind(self._channel, (peer, port)))

    def send(self, data: bytes, peer: Address) -> None:
        """Send a Send indication, which gets no answer."""
        indication = stun.Message(stun.Method.SEND, stun.Class.INDICATION)
        indication.attributes |= {"XOR-PEER-ADDRESS": peer, "DATA": data}
        self.send_stun(indication, self.server)

    async def _allocate(self, request: stun.Message) -> None:
        response, _ = await self.request_with_retry(request)
        self.relayed_address = response.attributes["XOR-RELAYED-ADDRESS"]

    def _request(self, method: stun.Method) -> stun.Message:
        return stun.Message(method, stun.Class.REQUEST)


async def _code(exchange: Coroutine[Any, Any, object]) -> int:
    try:
        await exchange
    except stun.TransactionFailed as refusal:
        return int(refusal.response.attributes["ERROR-CODE"][0])
    return 200


async def _from_unused_port(make: Callable[[], TurnClient], server: Address) -> TurnClient:
    """Return a client from a port without an allocation.

    The relay remembers an allocation longer than the client does (437, RFC 8656 section 7.4).
    """
    loop = asyncio.get_running_loop()
    while True:
        transport, client = await loop.create_datagram_endpoint(make, remote_addr=server)
        port = transport.get_extra_info("sockname")[1]
        if port not in _used_ports:
            _used_ports.add(port)
            return client
        transport.close()


@asynccontextmanager
async def turn_client(
    server: Address, username: str | None = None, password: str | None = None
) -> AsyncIterator[TurnClient]:
    """Create a client of the relay at `server`; delete its allocation at the end."""
    client = await _from_unused_port(lambda: TurnClient(server, username, password), server)
    try:
        yield client
    finally:
        await client.delete() if client.relayed_address else client.transport.close()
