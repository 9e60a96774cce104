"""How much one socket, and one address, may ask of the server."""

import time
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from django.conf import settings

BURST_S = 5.0  # a bucket holds what comes in this time
PATIENCE = 100  # refusals in a row until a socket counts as flooding


class Bucket:
    """A token bucket: `rate` a second on the average, `rate` × BURST_S at once."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._size, self._clock = rate, rate * BURST_S, clock
        self._tokens, self._at = self._size, clock()
        self.refused = 0  # in a row

    def take(self) -> bool:
        """Whether one more is allowed now."""
        if not settings.RATE_LIMITS:
            return True
        now = self._clock()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        self.refused = 0
        return True

    @property
    def flooding(self) -> bool:
        """Whether the other side goes on although it was told to stop."""
        return self.refused >= PATIENCE

    @property
    def full(self) -> bool:
        """Whether nothing has been taken for so long that the bucket can be forgotten."""
        return self._tokens + (self._clock() - self._at) * self._rate >= self._size


def network(address: str) -> str:
    """What is counted as one address: of IPv6 a /64, which one home or machine has for itself."""
    try:
        found = ip_address(address)
    except ValueError:
        return address  # what a proxy of ours calls a client
    if isinstance(found, IPv4Address):
        return address
    return str(found.ipv4_mapped or ip_network((int(found) >> 64 << 64, 64)))


class Addresses:
    """What each address holds open and how fast it joins, in this process."""

    MAX_KNOWN = 50_000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sockets: dict[str, int] = {}
        self._joins: dict[str, Bucket] = {}

    def connect(self, address: str) -> bool:
        """Counts a new socket; False, and not counted, when the address has too many or is too
        fast. Each True needs its `disconnect`."""
        address = network(address)
        held = self._sockets.get(address, 0)
        if held >= settings.SOCKETS_PER_ADDRESS and settings.RATE_LIMITS:
            return False
        if len(self._joins) >= self.MAX_KNOWN:
            self._joins = {a: bucket for a, bucket in self._joins.items() if not bucket.full}
        if not self._joins.setdefault(address, Bucket(settings.JOINS_PER_S, self._clock)).take():
            return False
        self._sockets[address] = held + 1
        return True

    @property
    def known(self) -> int:
        """Addresses of which something is remembered."""
        return len(self._joins)

    @property
    def open_sockets(self) -> int:
        """Sockets that are open now."""
        return sum(self._sockets.values())

    def disconnect(self, address: str) -> None:
        """Undoes one `connect`."""
        address = network(address)
        self._sockets[address] -= 1
        if not self._sockets[address]:
            del self._sockets[address]


addresses = Addresses()


def client_address(scope: Mapping[str, Any]) -> str:
    """The address of the client of an ASGI scope.

    Behind N proxies of ours it is the Nth entry from the right of X-Forwarded-For: the ones
    further left are the client's own words. Too few entries: the peer itself.
    """
    peer: str = (scope.get("client") or ["unknown"])[0]
    if not settings.TRUSTED_PROXIES:
        return peer
    entries = forwarded_for(scope)
    if len(entries) < settings.TRUSTED_PROXIES:
        return peer
    proxies: int = settings.TRUSTED_PROXIES
    return entries[-proxies]


def forwarded_for(scope: Mapping[str, Any]) -> list[str]:
    """The entries of X-Forwarded-For, of whoever wrote them."""
    told = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return [entry.strip() for entry in told.decode("latin-1").split(",") if entry.strip()]
