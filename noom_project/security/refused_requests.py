"""Counts and logs the requests that a proxy or a setting spoils.

A refused page cannot show the reason, and its visitor did nothing wrong. A stranger can cause each
of these warnings, so each reason gets one line a minute.
"""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from chat.stats import counts

EVERY_S = 60.0  # between two lines about one reason
MAX_CHARS = 100  # of a value that a client chose

# Reasons for refusing an origin, and faults of a proxy in an admitted handshake.
ORIGINS = ("no_origin", "host", "scheme", "port", "foreign", "plain_http")
PROXIES = ("no_upgrade", "too_few_proxies", "too_many_proxies")

log = logging.getLogger(__name__)


class Fault(NamedTuple):
    """A reason of ORIGINS or PROXIES, the values that the server saw, and advice."""

    reason: str
    seen: str
    advice: str


class Reporter:
    """Counts faults and logs each reason at most once in EVERY_S."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_at: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def report(self, fault: Fault) -> None:
        """Counts the fault, and logs it unless its reason has a line of this minute."""
        counter = counts.refused_origins if fault.reason in ORIGINS else counts.proxy_faults
        counter[fault.reason] += 1
        now = self._clock()
        if now - self._said_at.get(fault.reason, float("-inf")) < EVERY_S:
            self._unsaid[fault.reason] = self._unsaid.get(fault.reason, 0) + 1
            return
        self._said_at[fault.reason] = now
        more = self._unsaid.pop(fault.reason, 0)
        told = f" The last minutes had {more} more." if more else ""
        log.warning("%s (%s). %s%s", HEADLINES[fault.reason], fault.seen, fault.advice, told)


HEADLINES = {
    "no_origin": "A socket was refused: its handshake names no origin, or several",
    "host": "A page was refused: ALLOWED_HOSTS does not have the Host that reached the server",
    "scheme": "A page was refused: its scheme is not the one that the server sees",
    "port": "A page was refused: its port is not the one in the Host that reached the server",
    "foreign": "A page of another site was refused",
    "plain_http": "A form was refused: it came by plain http, where browsers withhold the cookies",
    "no_upgrade": "A WebSocket handshake arrived without its Upgrade header",
    "too_few_proxies": "The limits count people by the address of a proxy",
    "too_many_proxies": "X-Forwarded-For has fewer entries than TRUSTED_PROXIES",
}


def shown(value: str) -> str:
    """Returns a client's value in printable ASCII, with a bounded length."""
    return ascii(value[:MAX_CHARS]) if value else "none"


report = Reporter().report
