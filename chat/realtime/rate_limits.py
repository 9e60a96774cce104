"""How much one socket, and one address, may ask of the server."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from django.conf import settings

BURST_S = 5.0  # a bucket holds what comes in this time
PATIENCE = 100  # refusals in a row until a socket counts as flooding


class Bucket:
    """A token bucket: `rate` a second on the average, `rate` × `burst_s` at once."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic, *, burst_s: float = BURST_S
    ) -> None:
        self._rate, self._size, self._clock = rate, rate * burst_s, clock
        self._tokens, self._at = self._size, clock()
        self.refused = 0  # in a row

    def take(self, cost: float = 1.0) -> bool:
        """Whether so much more is allowed now. A cost above the size needs a full bucket, and
        leaves a debt."""
        if not settings.RATE_LIMITS:
            return True
        now = self._clock()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < min(cost, self._size):
            self.refused += 1
            return False
        self._tokens -= cost
        self.refused = 0
        return True

    def give_back(self, cost: float) -> None:
        """Returns what was taken and not used."""
        self._tokens = min(self._size, self._tokens + cost)

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


class Buckets:
    """A bucket for each holder (an address, a room), made at its first cost; full ones are
    forgotten when there are many."""

    MAX_KNOWN = 50_000

    def __init__(
        self,
        rate: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        *,
        burst_s: float = BURST_S,
    ) -> None:
        self._rate, self._clock, self._burst_s = rate, clock, burst_s
        self._buckets: dict[str, Bucket] = {}
        self._tidy_above = self.MAX_KNOWN

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, holder: str, cost: float = 1.0) -> bool:
        """Whether a holder may have so much more now."""
        bucket = self._buckets.get(holder)
        if bucket is None:
            if len(self._buckets) >= self._tidy_above:
                self._tidy()
            bucket = Bucket(self._rate(), self._clock, burst_s=self._burst_s)
            self._buckets[holder] = bucket
        return bucket.take(cost)

    def give_back(self, holder: str, cost: float) -> None:
        """Returns what a holder took and did not use."""
        if holder in self._buckets:
            self._buckets[holder].give_back(cost)

    def _tidy(self) -> None:
        self._buckets = {h: bucket for h, bucket in self._buckets.items() if not bucket.full}
        # Where few are full, the next look comes later: each goes through all of them.
        self._tidy_above = max(self.MAX_KNOWN, 2 * len(self._buckets))


class Addresses:
    """What each address holds open and how fast it joins, in this process."""

    HELLOS_PER_JOIN = 4  # first messages: a page repeats one that is refused for now
    MAX_WAITING = 50  # calls to be joined, whose rooms were not entered yet

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._sockets: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self._joins = Buckets(lambda: settings.JOINS_PER_S, clock)
        self._hellos = Buckets(lambda: settings.JOINS_PER_S * self.HELLOS_PER_JOIN, clock)

    def connect(self, address: str) -> bool:
        """Counts a new socket; False, and not counted, when the address has too many or is too
        fast. Each True needs its `disconnect`."""
        address = network(address)
        held = self._sockets.get(address, 0)
        if held >= settings.SOCKETS_PER_ADDRESS and settings.RATE_LIMITS:
            return False
        if not self._joins.take(address):
            return False
        self._sockets[address] = held + 1
        return True

    def hello(self, address: str) -> bool:
        """Counts a first message of a socket; False when the address sends too many of them."""
        return self._hellos.take(network(address))

    @contextmanager
    def waiting(self, address: str) -> Iterator[bool]:
        """Counts somebody who waits; False where too many of the address do, so it must not."""
        address = network(address)
        count = self._waiting.get(address, 0)
        if count >= self.MAX_WAITING and settings.RATE_LIMITS:
            yield False
            return
        self._waiting[address] = count + 1
        try:
            yield True
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]

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
