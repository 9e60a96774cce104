"""The numbers of one process for Prometheus, gathered when they are asked for."""

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
from chat.presence.roster import KINDS
from chat.protocol import close_codes, codec
from chat.realtime import connection, rate_limits
from chat.stats import counts
from chat.storage import database
from noom_project.monitoring import disk_usage, health
from noom_project.monitoring.revision import REVISION
from noom_project.security import refused_requests

# Every value of a label is there from the start: an alert sees a rise from 0, and not from nothing.
KNOWN_CLOSES = close_codes.ALL | {1006, 1011}
SOCKETS = [(kind, way) for kind in ("lobby", "chat", "call") for way in ("websocket", "http")]
REPAIRS = ("messages", "people", "callers")
JOINS = ("chat", "call")
ICE_FAILURES = ("no_path", "no_relay", "lost")
ERRORS = (
    "bad_frame", "bad_history", "bad_order", "bad_payload", "bad_token", "call_full",
    "empty_message", "empty_nickname", "not_in_room", "not_text", "removed", "room_closed",
    "room_full", "server_error", "too_fast", "too_large", "too_many_rooms", "try_later",
    "unknown_type",
)  # fmt: skip
STATES = ("ok", "late", "failed")


class Noom(Collector):
    """What Noom knows of itself. It reads what the process holds, so it runs in its event loop."""

    measured: "Measured" = {}, None

    def collect(self) -> Iterator[Metric]:
        yield from _build()
        yield from _checks(self.measured)
        yield from _people()
        yield from _waiting()
        yield from _counted()
        yield _loop_lag(runtime.current().lag)
        yield GaugeMetricFamily("noom_tasks", "Tasks of the loop.", len(asyncio.all_tasks()))


async def text() -> bytes:
    """All numbers, in the text form of Prometheus."""
    _, told = await health.report()
    checks: dict[str, dict[str, Any]] = told["checks"]
    well = checks["database"]["state"] == "ok"
    _noom.measured = checks, await disk_usage.measure() if well else disk_usage.last()
    return generate_latest(_registry)


# What the checks of /readyz have found, and what the database takes of its disk.
Measured = tuple[Mapping[str, Mapping[str, Any]], disk_usage.Use | None]


def _build() -> Iterator[Metric]:
    labels = {
        "revision": REVISION,
        "protocol": str(codec.VERSION),
        "python": platform.python_version(),
    }
    yield InfoMetricFamily("noom_build", "What runs here.", labels)


def _checks(measured: Measured) -> Iterator[Metric]:
    """The latency of what Noom needs, as /readyz measures it, and the disk."""
    checks, use = measured
    states = {
        (name, state): float(check["state"] == state)
        for name, check in checks.items()
        for state in STATES
    }
    yield _gauge("check", "What a check of /readyz has found.", states, ("check", "state"))
    took = {(name,): check["ms"] / 1000 for name, check in checks.items()}
    yield _gauge("check_seconds", "How long a check of /readyz took.", took, ("check",))
    if use is not None:
        told = "What the database takes."
        yield GaugeMetricFamily("noom_database_bytes", told, use.database_bytes)
        told = "What is free on the disk of this process's data; of SQLite, the database's."
        yield GaugeMetricFamily("noom_disk_free_bytes", told, use.free_bytes)


def _people() -> Iterator[Metric]:
    sockets = Tally(dict.fromkeys(SOCKETS, 0))
    sockets.update((socket.kind, socket.transport) for socket in connection.open_lines)
    yield _gauge("sockets", "Open sockets.", sockets, ("kind", "transport"))
    rosters = {roster.kind.name: roster for roster in runtime.current().rosters()}
    places = {(name,): len(roster.local_keys()) for name, roster in rosters.items()}
    yield _gauge("places", "Rooms and calls with somebody of this process in them.", places)
    people = {(name,): roster.local_count() for name, roster in rosters.items()}
    yield _gauge("participants", "Participants whose sockets are at this process.", people)
    addresses = rate_limits.addresses.known
    yield GaugeMetricFamily("noom_addresses", "Addresses that the limits remember.", addresses)


def _waiting() -> Iterator[Metric]:
    backlog = sum(socket.backlog_bytes for socket in connection.open_lines)
    yield GaugeMetricFamily("noom_backlog_bytes", "What waits for sockets to be read.", backlog)
    waiting = runtime.current().journal.waiting
    yield GaugeMetricFamily("noom_journal_waiting", "Messages that wait to be stored.", waiting)
    tasks = {(pool,): count for pool, count in database.under_way.items()}
    name, told = "database_tasks", "Tasks of the database's threads that wait or run."
    yield _gauge(name, told, tasks, ("pool",))


def _counted() -> Iterator[Metric]:
    for name, told in (
        ("messages_stored", "Messages stored."),
        ("deliveries", "Frames handed to sockets."),
        ("publish_failures", "Events that did not get onto the channel layer."),
        ("readers_cut_off", "Readers of HTTP answers who read nothing for too long."),
        ("resumes", "Participants who came back within their lease."),
    ):
        yield CounterMetricFamily(f"noom_{name}", told, getattr(counts, name))
    joins = dict.fromkeys(JOINS, 0) | counts.joins
    yield _counter("joins", "Entries into a room (chat) or a call.", joins)
    expired = dict.fromkeys(KINDS, 0) | counts.leases_expired
    yield _counter("leases_expired", "Participants whose lease ran out.", expired)
    repairs = dict.fromkeys(REPAIRS, 0) | counts.repairs
    yield _counter("repairs", "What pages asked for again: a gap.", repairs, "what")
    failures = dict.fromkeys(ICE_FAILURES, 0) | counts.ice_failures
    yield _counter("ice_failures", "Connections that pages found no way for.", failures)
    origins = dict.fromkeys(refused_requests.ORIGINS, 0) | counts.refused_origins
    yield _counter("refused_origins", "Pages refused for their origin.", origins, "reason")
    faults = dict.fromkeys(refused_requests.PROXIES, 0) | counts.proxy_faults
    yield _counter("proxy_faults", "Handshakes that a proxy has spoilt.", faults, "fault")
    errors = dict.fromkeys(ERRORS, 0) | counts.errors
    yield _counter("errors", "Errors that sockets were told.", errors, "code")
    ends: Tally[str] = Tally(dict.fromkeys([*map(str, sorted(KNOWN_CLOSES)), "other"], 0))
    for code, count in counts.closes.items():
        # A client may name any of thousands.
        ends[str(code) if code in KNOWN_CLOSES else "other"] += count
    yield _counter("closes", "Sockets that have ended.", ends, "code")


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
