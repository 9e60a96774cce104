"""Budgets of an address, a room and a connection in one process, counted in bytes.

A limit on the number of messages bounds little: one answer may hold two of them or a hundred long
ones. So reading and storing count bytes, and each row counts as bytes of its own.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings

from chat.realtime.rate_limits import TokenBucket, TokenBuckets, network

# A stored message without its text: its columns, and its entries in four indexes.
STORED_ROW_BYTES = 400
# A message that is read, without its text: the cost of fetching and encoding, as bytes of text.
READ_ROW_BYTES = 200
ANSWER_BYTES = 128 * 1024  # at most in one answer of messages, which reserves as much first
DAY_S = 86_400.0
KB, MB = 1_000, 1_000_000


class Cost(NamedTuple):
    """A cost, and the buckets and holder that it is taken from."""

    buckets: TokenBuckets
    holder: str
    amount: float


def _by_day(most: Callable[[], float], clock: Callable[[], float]) -> TokenBuckets:
    """Buckets of a daily budget, which a holder may spend at once."""
    return TokenBuckets(lambda: most() / DAY_S, clock, burst_s=DAY_S)


def _at_once(costs: list[Cost]) -> bool:
    """Take all of these costs, or none of them."""
    for number, (buckets, holder, amount) in enumerate(costs):
        if not buckets.take(holder, amount):
            for taken in costs[:number]:
                taken.buckets.give_back(taken.holder, taken.amount)
            return False
    return True


class Budgets:
    """The budgets of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = TokenBuckets(lambda: settings.HISTORY_KB_PER_ADDRESS_PER_S * KB, clock)
        self._said = TokenBuckets(lambda: settings.MESSAGES_PER_ADDRESS_PER_S, clock)
        self._said_in = TokenBuckets(lambda: settings.MESSAGES_PER_ROOM_PER_S, clock)
        self._stored = _by_day(lambda: settings.MB_PER_ADDRESS_PER_DAY * MB, clock)
        self._stored_in = _by_day(lambda: settings.MB_PER_ROOM_PER_DAY * MB, clock)
        self._made = _by_day(lambda: settings.ROOMS_PER_ADDRESS_PER_DAY, clock)

    def may_say(self, address: str, key: str, words: str) -> bool:
        """Take the cost of storing a text in a room from the address and the room."""
        size = STORED_ROW_BYTES + len(words.encode())
        who = network(address)
        return _at_once(
            [
                Cost(self._said, who, 1),
                Cost(self._said_in, key, 1),
                Cost(self._stored, who, size),
                Cost(self._stored_in, key, size),
            ]
        )

    def may_make_room(self, address: str) -> bool:
        """Take one room from the daily budget of an address."""
        return self._made.take(network(address))

    def reserve(self, address: str, socket: TokenBucket) -> bool:
        """Take the cost of a whole answer of messages; `settle` gives the rest back."""
        if not socket.take(ANSWER_BYTES):
            return False
        if not self._read.take(network(address), ANSWER_BYTES):
            socket.give_back(ANSWER_BYTES)
            return False
        return True

    def settle(self, address: str, socket: TokenBucket, cost: int) -> None:
        """Give back the unused part of a reserved answer."""
        socket.give_back(ANSWER_BYTES - cost)
        self._read.give_back(network(address), ANSWER_BYTES - cost)
