"""The checks of /readyz: each service that the process needs, in bounded time."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chat import runtime
from chat.names import cleaning
from chat.protocol.frames import Frame
from chat.realtime.hub import Hub
from chat.storage import database
from noom_project.assets import shared_files
from noom_project.assets.finders import ENTRIES, joined
from noom_project.monitoring import processes

CHECK_TIMEOUT_S = 1.5  # for one check; then its state is late
REUSE_S = 0.5  # for which a report is reused, so that many requests do no harm
MAX_LAG_S = 1.0  # of the event loop; beyond it the check is late

Check = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class CheckResult(NamedTuple):
    """The result of a check. `state` is "ok", "failed", or "late": no answer in time."""

    state: str
    seconds: float
    detail: str = ""  # for the log alone, because it may name addresses


class LayerProbe:
    """Sends events over the channel layer to itself; to the hub it is a subscriber."""

    id = ""
    connection_id = "health"
    session_id = ""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        # Random, because a name of host and number might be another process's too.
        self._group = cleaning.group("health", secrets.token_hex(16))
        self._is_subscribed = False
        self._sent = b""
        self._received = asyncio.Event()

    async def probe(self) -> None:
        """Returns when an event has come back."""
        self._sent, self._received = secrets.token_hex(8).encode(), asyncio.Event()
        if not self._is_subscribed:
            # Once, as rooms do, so that the check notices a subscription that is lost later.
            await self._hub.subscribe(self._group, self)
            self._is_subscribed = True
        self._hub.publish(self._group, b'{"type":"%b"}' % self._sent)
        await self._received.wait()

    def send_frame(self, frame: Frame) -> None:
        """Takes an event; one of an earlier check is too late and does not count."""
        if self._sent in frame.payload:
            self._received.set()

    def close(self, code: int) -> None:
        """Does nothing: the hub closes no probe."""


class Health:
    """The checks of one process."""

    def __init__(self, runtime: runtime.Runtime) -> None:
        self._runtime = runtime
        self._checks: dict[str, Check] = {
            "database": _database,
            "schema": self._schema,
            "files": _files,
            "neighbours": _neighbours,
            **({"redis": runtime.presence.check} if settings.REDIS_URLS else {}),
            "layer": LayerProbe(runtime.hub).probe,
        }
        self._reporting: asyncio.Task[dict[str, CheckResult]] | None = None
        self._reported_at = 0.0
        self._migrated = False
        self._failing: list[str] = []

    async def report(self) -> dict[str, CheckResult]:
        """Returns the results by name; requests at the same time share one report."""
        self._runtime.start()
        now = time.monotonic()
        if self._reporting is None or (
            self._reporting.done() and now - self._reported_at > REUSE_S
        ):
            self._reported_at = now
            self._reporting = asyncio.create_task(self._run_checks())
        return await asyncio.shield(self._reporting)

    async def _schema(self) -> None:
        """Checks that the tables are of this version or newer; once, as none goes back."""
        if not self._migrated:
            await database.probe(_require_migrations)
            self._migrated = True

    async def _run_checks(self) -> dict[str, CheckResult]:
        found = await asyncio.gather(*(_run_check(ask) for ask in self._checks.values()))
        findings = dict(zip(self._checks, found, strict=True))
        lag_s = self._runtime.loop_lag.recent_s
        findings["loop"] = CheckResult("ok" if lag_s <= MAX_LAG_S else "late", lag_s)
        self._log_change(findings)
        return findings

    def _log_change(self, findings: dict[str, CheckResult]) -> None:
        """Logs one line when a result changes, not one for each request."""
        wrong = [name for name, finding in findings.items() if finding.state != "ok"]
        if wrong and wrong != self._failing:
            told = "; ".join(f"{n} {findings[n].state} {findings[n].detail}".strip() for n in wrong)
            log.warning("not ready: %s", told)
        elif self._failing and not wrong:
            log.info("ready again")
        self._failing = wrong


def drain() -> None:
    """Makes this process not ready; it serves its connections until it ends."""
    _draining.set()


async def report() -> tuple[bool, dict[str, Any]]:
    """Returns whether the process is ready, and the results without their reasons."""
    findings = await runtime.current().part(Health).report()
    draining = _draining.is_set()
    ready = not draining and all(found.state == "ok" for found in findings.values())
    checks = {
        name: {"state": found.state, "ms": round(found.seconds * 1000, 1)}
        for name, found in findings.items()
    }
    return ready, {"ready": ready, "draining": draining, "checks": checks}


_draining = Event()


async def _run_check(ask: Check) -> CheckResult:
    start = time.monotonic()
    state, why = "ok", ""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await ask()
    except TimeoutError:
        state = "late"
    except Exception as error:  # any error means that the check failed
        state, why = "failed", f"({type(error).__name__}: {error})"
    return CheckResult(state, time.monotonic() - start, why)


class Unmigrated(Exception):
    """The database's tables are of an older version."""


async def _database() -> None:
    # A write, because a database whose disk is full still answers queries.
    await database.probe(processes.beat)


async def _neighbours() -> None:
    await database.probe(processes.meet)


async def _files() -> None:
    await asyncio.to_thread(shared_files.require, [joined(entry) for entry in ENTRIES])


def _require_migrations() -> None:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        first = f"{plan[0][0].app_label}.{plan[0][0].name}"
        raise Unmigrated(f"run manage.py migrate: {len(plan)} are missing, first {first}")
