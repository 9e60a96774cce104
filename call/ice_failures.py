"""What pages tell of connections that found no way: a counter, and a line in the log."""

import logging
from collections.abc import Mapping

from call.protocol import IceFailed
from chat.realtime.rate_limits import Buckets, network
from chat.stats import counts

# A page tells once for each participant and outage. A network keeps six at once, so that nobody
# fills the log or raises an alert alone.
TOLD_PER_S, TOLD_BURST_S = 0.1, 60.0

log = logging.getLogger(__name__)

told = Buckets(lambda: TOLD_PER_S, burst_s=TOLD_BURST_S)


def ice_failed(message: IceFailed, *, address: str, about: Mapping[str, object]) -> None:
    """Counts a failure. More than a network's share is dropped without an error: no page can act
    on one."""
    if not told.take(network(address)):
        return
    counts.ice_failures[message.failure] += 1
    log.warning("no way between two callers: %s", message.failure, extra=about)
