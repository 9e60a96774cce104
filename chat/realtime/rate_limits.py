"""Token buckets of connections and addresses, and the addresses of clients."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from django.conf import settings

BURST_S = 5.0  # seconds of the rate that a full bucket holds
MAX_CONSECUTIVE_REFUSALS = 100  # refusals in a row after which a socket counts as flooding


class TokenBucket:
    """A token bucket: `rate` a second on average, `rate` × `burst_s` at once."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic, *, burst_s: float = BURST_S
    ) -> None:
        self._rate, self._size, self._clock = rate, rate * burst_s, clock
        self._tokens, self._at = self._size, clock()
        self.refused = 0  # in a row

    def take(self, cost: float = 1.0) -> bool:
        """Take a cost, or return False if the bucket holds too little.

        A cost above the size needs a full bucket, and leaves a debt.
        """
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
        """Return an unused cost to the bucket."""
        self._tokens = min(self._size, self._tokens + cost)

    @property
    def is_flooding(self) -> bool:
        """Whether the client goes on after MAX_CONSECUTIVE_REFUSALS refusals in a row."""
        return self.refused >= MAX_CONSECUTIVE_REFUSALS

    @property
    def is_full(self) -> bool:
        """Whether the bucket is full again, and so can be forgotten."""
        return self._tokens + (self._clock() - self._at) * self._rate >= self._size


def network(address: str) -> str:
    """The network that counts as one address: of IPv6 the /64 that a home or machine has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address  # a name that a trusted proxy gives a client
    if isinstance(found, IPv4Address):
        return address
    return str(found.ipv4_mapped or ip_network((int(found) >> 64 << 64, 64)))


class TokenBuckets:
    """A bucket for each holder, such as an address or a room, made at its first cost.

    Full buckets are forgotten when there are many.
    """

    MAX_KNOWN = 50_000

    def __init__(
        self,
        rate: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        *,
        burst_s: float = BURST_S,
    ) -> None:
        self._rate, self._clock, self._burst_s = rate, clock, burst_s
        self._buckets: dict[str, TokenBucket] = {}
        self._tidy_above = self.MAX_KNOWN

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, holder: str, cost: float = 1.0) -> bool:
        """Take a cost from the bucket of a holder, or return False."""
        bucket = self._buckets.get(holder)
        if bucket is None:
            if len(self._buckets) >= self._tidy_above:
                self._forget_full()
            bucket = TokenBucket(self._rate(), self._clock, burst_s=self._burst_s)
            self._buckets[holder] = bucket
        return bucket.take(cost)

    def give_back(self, holder: str, cost: float) -> None:
        """Return an unused cost to the bucket of a holder."""
        if holder in self._buckets:
            self._buckets[holder].give_back(cost)

    def _forget_full(self) -> None:
        self._buckets = {h: bucket for h, bucket in self._buckets.items() if not bucket.is_full}
        # Each pass scans all buckets. Where few were full, the next pass comes later.
        self._tidy_above = max(self.MAX_KNOWN, 2 * len(self._buckets))


class Addresses:
    """Open sockets and rate of joins of each address, in this process."""

    FIRST_MESSAGES_PER_CONNECTION = 4  # first messages a join, because a page repeats a refused one
    MAX_WAITING = 50  # of one address, for `join_room` before `enter_room`; past that none waits

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._sockets: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self._connections = TokenBuckets(lambda: settings.CONNECTIONS_PER_S, clock)
        self._first_messages = TokenBuckets(
            lambda: settings.CONNECTIONS_PER_S * self.FIRST_MESSAGES_PER_CONNECTION, clock
        )

    def connect(self, address: str) -> bool:
        """Count a new socket of an address, or return False if it has too many or is too fast.

        A refused socket is not counted. Each True needs its `disconnect`.
        """
        address = network(address)
        held = self._sockets.get(address, 0)
        if held >= settings.SOCKETS_PER_ADDRESS and settings.RATE_LIMITS:
            return False
        if not self._connections.take(address):
            return False
        self._sockets[address] = held + 1
        return True

    def first_message(self, address: str) -> bool:
        """Count a first message of a socket, or return False if its address sends too many."""
        return self._first_messages.take(network(address))

    @contextmanager
    def waiting(self, address: str) -> Iterator[bool]:
        """Count a waiting participant. Yields False if MAX_WAITING of the address wait already."""
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
        """The number of addresses with a bucket."""
        return len(self._connections)

    @property
    def open_sockets(self) -> int:
        """The number of open sockets."""
        return sum(self._sockets.values())

    def disconnect(self, address: str) -> None:
        """Undo one `connect`."""
        address = network(address)
        self._sockets[address] -= 1
        if not self._sockets[address]:
            del self._sockets[address]


addresses = Addresses()


def client_address(scope: Mapping[str, Any]) -> str:
    """The address of the client of an ASGI scope.

    Behind N trusted proxies it is the Nth entry from the right of X-Forwarded-For, because the
    client itself writes the entries further left. With too few entries it is the peer.
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
    """All entries of X-Forwarded-For, also those that the client wrote."""
    told = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return [entry.strip() for entry in told.decode("latin-1").split(",") if entry.strip()]
