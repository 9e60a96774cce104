"""The numbers of one process for Prometheus, gathered when they are asked for."""

import asyncio
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from chat import closes, database, lag, limits, line, runtime
from chat.counts import counts
from noom_project import refusals

KNOWN_CLOSES = {code for name, code in vars(closes).items() if name.isupper()} | {1006, 1011}


class Noom(Collector):
    """What Noom knows of itself. It reads what the process holds, so it runs in its event loop."""

    def collect(self) -> Iterator[Metric]:
        yield from _people()
        yield from _waiting()
        yield from _counted()
        yield _loop_lag(runtime.current().lag)
        yield GaugeMetricFamily("noom_tasks", "Tasks of the loop.", len(asyncio.all_tasks()))


def text() -> bytes:
    """All numbers, in the text form of Prometheus."""
    return generate_latest(_registry)


def _people() -> Iterator[Metric]:
    sockets = Tally((socket.kind, socket.transport) for socket in line.open_lines)
    yield _gauge("sockets", "Open sockets.", sockets, ("kind", "transport"))
    rosters = {roster.kind.name: roster for roster in runtime.current().rosters()}
    places = {(name,): len(roster.local_keys()) for name, roster in rosters.items()}
    yield _gauge("places", "Rooms and calls with somebody of this process in them.", places)
    people = {(name,): roster.local_count() for name, roster in rosters.items()}
    yield _gauge("participants", "Participants whose sockets are at this process.", people)
    addresses = limits.addresses.known
    yield GaugeMetricFamily("noom_addresses", "Addresses that the limits remember.", addresses)


def _waiting() -> Iterator[Metric]:
    backlog = sum(socket.backlog_bytes for socket in line.open_lines)
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
    yield _counter("leases_expired", "Participants whose lease ran out.", counts.leases_expired)
    yield _counter("repairs", "What pages asked for again: a gap.", counts.repairs, "what")
    origins = dict.fromkeys(refusals.ORIGINS, 0) | counts.refused_origins
    yield _counter("refused_origins", "Pages refused for their origin.", origins, "reason")
    faults = dict.fromkeys(refusals.PROXIES, 0) | counts.proxy_faults
    yield _counter("proxy_faults", "Handshakes that a proxy has spoilt.", faults, "fault")
    yield _counter("errors", "Errors that sockets were told.", counts.errors, "code")
    ends: Tally[str] = Tally()
    for code, count in counts.closes.items():
        # A client may name any of thousands.
        ends[str(code) if code in KNOWN_CLOSES else "other"] += count
    yield _counter("closes", "Sockets that have ended.", ends, "code")


def _loop_lag(seen: lag.LoopLag) -> Metric:
    bounds = [*map(str, lag.BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, accumulate(seen.buckets), strict=True))
    told = "How late the event loop was, sampled."
    return HistogramMetricFamily("noom_loop_lag_seconds", told, buckets, seen.sum_s)


def _gauge(
    name: str, told: str, values: Mapping[Any, int], labels: Sequence[str] = ("kind",)
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
_registry.register(Noom())
ProcessCollector(registry=_registry)
GCCollector(registry=_registry)
