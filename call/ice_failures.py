"""Counter and log of the ICE failures that pages report."""

import logging
from collections.abc import Mapping

from call.protocol import IceFailed
from chat.realtime.rate_limits import TokenBuckets, network
from chat.stats import counts

# A page reports once for each participant and outage. A network may report six at once, so that
# no network alone fills the log or raises an alert.
TOLD_PER_S, TOLD_BURST_S = 0.1, 60.0

log = logging.getLogger(__name__)

told = TokenBuckets(lambda: TOLD_PER_S, burst_s=TOLD_BURST_S)


def ice_failed(message: IceFailed, *, address: str, about: Mapping[str, object]) -> None:
    """Count and log a failure, within the rate of its network.

    Further ones are dropped without an error, because no page can act on one.
    """
    if not told.take(network(address)):
        return
    counts.ice_failures[message.failure] += 1
    log.warning("no way between two callers: %s", message.failure, extra=about)
