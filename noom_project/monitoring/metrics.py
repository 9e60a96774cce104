"""The metrics of one process for Prometheus, gathered at each scrape."""

import asyncio
import platform
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from chat import runtime, stats
from chat.presence.place_types import PLACE_TYPES
from chat.protocol import close_codes, codec, error_codes
from chat.realtime import connection, rate_limits
from chat.stats import counts
from chat.storage import database
from noom_project.monitoring import disk_usage, health
from noom_project.monitoring.revision import REVISION
from noom_project.security import refused_requests

# Every value of a label exists from the start, so that an alert sees a rise from 0.
KNOWN_CLOSES = close_codes.ALL | {1006, 1011}
SOCKETS = [(kind, way) for kind in ("lobby", "chat", "call") for way in ("websocket", "http")]
REPAIRS = ("messages", "people", "callers")
JOINS = ("chat", "call")
ICE_FAILURES = ("no_path", "no_relay", "lost")
STATES = ("ok", "late", "failed")


class Noom(Collector):
    """Noom's own metrics; it reads the process's objects, so it runs in its loop."""

    measured: "Measured" = {}, None

    def collect(self) -> Iterator[Metric]:
        yield from _build()
        yield from _checks(self.measured)
        yield from _people()
        yield from _waiting()
        yield from _counted()
        yield _loop_lag(runtime.current().loop_lag)
        yield GaugeMetricFamily("noom_tasks", "Tasks of the event loop.", len(asyncio.all_tasks()))


async def text() -> bytes:
    """Returns all metrics, in the text form of Prometheus."""
    _, told = await health.report()
    checks: dict[str, dict[str, Any]] = told["checks"]
    well = checks["database"]["state"] == "ok"
    _noom.measured = checks, await disk_usage.measure() if well else disk_usage.last()
    return generate_latest(_registry)


# The results of /readyz, and the use of the database's disk.
Measured = tuple[Mapping[str, Mapping[str, Any]], disk_usage.Use | None]


def _build() -> Iterator[Metric]:
    labels = {
        "revision": REVISION,
        "protocol": str(codec.VERSION),
        "python": platform.python_version(),
    }
    yield InfoMetricFamily("noom_build", "The version that runs.", labels)


def _checks(measured: Measured) -> Iterator[Metric]:
    """Yields the results and latencies of /readyz, and the use of the disk."""
    checks, use = measured
    states = {
        (name, state): float(check["state"] == state)
        for name, check in checks.items()
        for state in STATES
    }
    yield _gauge("check", "Result of a check of /readyz.", states, ("check", "state"))
    took = {(name,): check["ms"] / 1000 for name, check in checks.items()}
    yield _gauge("check_seconds", "How long a check of /readyz took.", took, ("check",))
    if use is not None:
        told = "Size of the database."
        yield GaugeMetricFamily("noom_database_bytes", told, use.database_bytes)
        told = "Free space on the disk of this process's data; with SQLite, of the database."
        yield GaugeMetricFamily("noom_disk_free_bytes", told, use.free_bytes)


def _people() -> Iterator[Metric]:
    sockets = Tally(dict.fromkeys(SOCKETS, 0))
    sockets.update(
        (socket.endpoint_name, socket.transport) for socket in connection.open_connections
    )
    yield _gauge("sockets", "Open sockets.", sockets, ("kind", "transport"))
    rosters = {roster.place_type.name: roster for roster in runtime.current().rosters()}
    places = {(name,): len(roster.local_keys()) for name, roster in rosters.items()}
    yield _gauge("places", "Rooms and calls with members at this process.", places)
    people = {(name,): roster.local_count() for name, roster in rosters.items()}
    yield _gauge("participants", "Participants whose sockets are at this process.", people)
    addresses = rate_limits.addresses.known
    yield GaugeMetricFamily("noom_addresses", "Addresses that the limits remember.", addresses)


def _waiting() -> Iterator[Metric]:
    backlog = sum(socket.backlog_bytes for socket in connection.open_connections)
    yield GaugeMetricFamily("noom_backlog_bytes", "Bytes that wait for slow readers.", backlog)
    waiting = runtime.current().journal.waiting
    yield GaugeMetricFamily("noom_journal_waiting", "Messages that wait to be stored.", waiting)
    tasks = {(pool,): count for pool, count in database.in_flight.items()}
    name, told = "database_tasks", "Tasks of the database's threads that wait or run."
    yield _gauge(name, told, tasks, ("pool",))


def _counted() -> Iterator[Metric]:
    for name, told in (
        ("messages_stored", "Messages stored."),
        ("deliveries", "Frames handed to sockets."),
        ("publish_failures", "Events that could not be published on the channel layer."),
        ("readers_cut_off", "Readers of HTTP answers who read nothing for too long."),
        ("resumes", "Participants that came back within their lease."),
    ):
        yield CounterMetricFamily(f"noom_{name}", told, getattr(counts, name))
    joins = dict.fromkeys(JOINS, 0) | counts.joins
    yield _counter("joins", "Entries into a room (chat) or a call.", joins)
    expired = dict.fromkeys(PLACE_TYPES, 0) | counts.leases_expired
    yield _counter("leases_expired", "Participants whose lease ran out.", expired)
    repairs = dict.fromkeys(REPAIRS, 0) | counts.repairs
    yield _counter("repairs", "Repairs that pages requested after a gap.", repairs, "what")
    failures = dict.fromkeys(ICE_FAILURES, 0) | counts.ice_failures
    yield _counter("ice_failures", "Connections of calls that pages found no path for.", failures)
    origins = dict.fromkeys(refused_requests.ORIGINS, 0) | counts.refused_origins
    yield _counter("refused_origins", "Pages refused for their origin.", origins, "reason")
    faults = dict.fromkeys(refused_requests.PROXIES, 0) | counts.proxy_faults
    yield _counter("proxy_faults", "Handshakes that a proxy has spoilt.", faults, "fault")
    errors = dict.fromkeys(error_codes.ALL, 0) | counts.errors
    yield _counter("errors", "Errors sent to sockets.", errors, "code")
    ends: Tally[str] = Tally(dict.fromkeys([*map(str, sorted(KNOWN_CLOSES)), "other"], 0))
    for code, count in counts.closes.items():
        # A client may send any of thousands of codes.
        ends[str(code) if code in KNOWN_CLOSES else "other"] += count
    yield _counter("closes", "Closed sockets.", ends, "code")


def _loop_lag(seen: stats.LoopLag) -> Metric:
    bounds = [*map(str, stats.BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, accumulate(seen.buckets), strict=True))
    told = "How late the event loop was, sampled."
    return HistogramMetricFamily("noom_loop_lag_seconds", told, buckets, seen.sum_s)


def _gauge(
    name: str, told: str, values: Mapping[Any, float], labels: Sequence[str] = ("kind",)
) -> Metric:
    family = GaugeMetricFamily(f"noom_{name}", told, labels=labels)
    for label, value in values.items():
        family.add_metric(label, value)
    return family


def _counter(name: str, told: str, values: Mapping[str, int], label: str = "kind") -> Metric:
    family = CounterMetricFamily(f"noom_{name}", told, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


_registry = CollectorRegistry()
_noom = Noom()
_registry.register(_noom)
ProcessCollector(registry=_registry)
GCCollector(registry=_registry)
