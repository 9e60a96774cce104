"""The doctor's checks with the server's settings: database, Redis, files, clocks."""

import asyncio
import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from chat.realtime import redis_client
from noom_project.doctor.findings import Check, Finding, skipped, words, wrong

ANSWER_S = 3.0  # for Redis and the channel layer; then the check fails
CLOCK_S = 5.0  # between two clocks; beyond it the check fails
MODULE = "js/pages/room.joined.js"
SCRIPT = "return redis.call('get', KEYS[1])"
ROLE = "GRANT SELECT, INSERT, UPDATE, DELETE on all tables to Noom's role"


def all_checks() -> list[Check]:
    """Returns the checks, each after those that it depends on."""
    return [configuration, static_files, database, redis, layer, clocks]


async def configuration() -> Finding:
    """Runs the system checks of Django and of Noom."""
    found = checks.run_checks(include_deployment_checks=not settings.DEBUG)
    serious = [one for one in found if one.level >= checks.WARNING and not one.is_silenced()]
    if not serious:
        return Finding("settings", "manage.py check finds nothing wrong")
    told = "; ".join(f"{one.msg} ({one.id})" for one in serious)
    advice = " ".join(one.hint for one in serious if one.hint) or "See docs/operating.md."
    return wrong("settings", told, "These settings cannot work, or are not safe.", advice)


async def static_files() -> Finding:
    """Checks the files that collectstatic has gathered."""
    if settings.DEBUG:
        return skipped("static files", "with DEBUG they come from the source tree")
    root = Path(settings.STATIC_ROOT)
    advice = "Run manage.py collectstatic --no-input, with this version and as Noom's user."
    try:
        manifest = json.loads((root / "staticfiles.json").read_text())["paths"]
        missing = [name for name in manifest.values() if not (root / name).is_file()]
    except (OSError, ValueError, KeyError) as error:
        return wrong("static files", f"no manifest in {root}", words(error), advice)
    if MODULE not in manifest or missing:
        lost = missing[0] if missing else MODULE
        why = "The last collectstatic was interrupted, or was another version's."
        return wrong("static files", f"{lost} is missing in {root}", why, advice)
    return Finding("static files", f"{len(manifest)} files in {root}")


async def database() -> Finding:
    """Checks that the database answers, is migrated and takes writes."""
    return await asyncio.to_thread(_database)


def _database() -> Finding:
    place = _database_place()
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        advice = "See that it runs and listens there, and what DATABASE_URL says."
        return wrong("database", f"no connection to {place}", words(error), advice)
    try:
        return _migrated(place) or _written(place)
    except DatabaseError as error:
        return wrong("database", f"{place} refuses a query", words(error), f"{ROLE}.")
    finally:
        connection.close()


def _migrated(place: str) -> Finding | None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not missing:
        return None
    names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in missing[:3])
    told = f"{place} lacks {len(missing)} migrations: {names}{'…' if len(missing) > 3 else ''}"
    why = "The database is older than this version of Noom."
    return wrong("database", told, why, "Run manage.py migrate.")


def _written(place: str) -> Finding:
    """Commits a write, which fails on a full disk and on a standby."""
    start = time.monotonic()
    row = Session(session_key=f"doctor-{secrets.token_hex(8)}", session_data="")
    row.expire_date = timezone.now() + timedelta(minutes=1)
    try:
        row.save(force_insert=True)
        row.delete()
    except DatabaseError as error:
        advice = (
            "Free space if its disk is full; name the primary if this is a standby"
            f" (target_session_attrs=read-write); {ROLE}."
        )
        return wrong("database", f"{place} takes no writes", words(error), advice)
    took_ms = (time.monotonic() - start) * 1000
    return Finding("database", f"{place} is migrated and takes writes ({took_ms:.0f} ms)")


def _database_place() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"SQLite at {found['NAME']}"
    return f"PostgreSQL at {found['HOST'] or 'localhost'}, port {found['PORT'] or 5432}"


async def redis() -> Finding:
    """Checks that each Redis of REDIS_URL answers, takes writes and runs scripts."""
    if not settings.REDIS_URLS:
        return skipped("redis", "REDIS_URL is not set: this is a single process")
    told = []
    for url in settings.REDIS_URLS:
        place = redis_client.shown(url)
        client = redis_client.client(url, connections=1, timeout_s=ANSWER_S, **_options())
        try:
            async with asyncio.timeout(ANSWER_S):
                await client.set("noom:doctor", "1", px=1_000)
                await client.register_script(SCRIPT)(keys=["noom:doctor"])
        except (RedisError, OSError, TimeoutError) as error:
            return _redis_wrong(place, error)
        finally:
            await client.aclose()
        told.append(place)
    return Finding("redis", f"{'; '.join(told)} takes writes and runs scripts")


def _redis_wrong(place: str, error: Exception) -> Finding:
    advice = "See that it runs and listens there, and what REDIS_URL says."
    if isinstance(error, AuthenticationError):
        advice = "See the user and the password in REDIS_URL (%XX for special characters)."
    elif isinstance(error, NoPermissionError):
        advice = "Give Noom's user the rights of docs/operating.md, “Redis with logins and TLS”."
    elif "OOM" in str(error):
        advice = "Raise maxmemory: Noom needs a few hundred bytes for each person."
    return wrong("redis", f"{place} refuses or does not answer", words(error), advice)


def _options() -> dict[str, object]:
    return {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}


async def layer() -> Finding:
    """Checks that an event comes back through the channel layer."""
    channel_layer: Any = get_channel_layer()
    group = f"doctor-{secrets.token_hex(8)}"
    sent = {"type": "doctor", "text": secrets.token_hex(8)}
    start = time.monotonic()
    try:
        async with asyncio.timeout(ANSWER_S):
            channel = await channel_layer.new_channel()
            await channel_layer.group_add(group, channel)
            await channel_layer.group_send(group, sent)
            received = await channel_layer.receive(channel)
            await channel_layer.group_discard(group, channel)
    except (RedisError, OSError, TimeoutError) as error:
        advice = "See “redis” above; its user may lack publish, subscribe or the channels asgi*."
        return wrong("channel layer", "an event did not come back", words(error), advice)
    if received != sent:
        why = "Something else writes to Noom's channels."
        advice = "Give Noom a Redis, or a database and users, of its own."
        return wrong("channel layer", "another event came back", why, advice)
    took_ms = (time.monotonic() - start) * 1000
    return Finding("channel layer", f"an event came back ({took_ms:.0f} ms)")


async def clocks() -> Finding:
    """Compares this machine's clock with those of Redis and the database."""
    found: dict[str, float] = {}
    if connection.vendor == "postgresql":
        found["PostgreSQL"] = await asyncio.to_thread(_database_clock)
    for url in settings.REDIS_URLS:
        found[f"Redis at {redis_client.shown(url)}"] = await _redis_clock(url)
    if not found:
        return skipped("clock", "everything is on this machine")
    return compared(found)


def compared(clocks: dict[str, float]) -> Finding:
    """Returns the finding for other clocks, in seconds ahead of this machine's."""
    known = {name: ahead_s for name, ahead_s in clocks.items() if ahead_s == ahead_s}
    far = {name: ahead_s for name, ahead_s in known.items() if abs(ahead_s) > CLOCK_S}
    if far:
        told = "; ".join(f"{name} is {far[name]:+.0f} s from this machine" for name in far)
        why = "Messages get wrong times, tokens and relay credentials end early."
        return wrong("clock", told, why, "Let all machines follow one time server (timedatectl).")
    if not known:
        return skipped("clock", "no other clock could be read")
    return Finding("clock", f"{', '.join(known)} within {CLOCK_S:.0f} s of this machine")


def _database_clock() -> float:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            found: datetime = cursor.fetchall()[0][0]
    except DatabaseError:
        return float("nan")  # the check “database” reports it
    finally:
        connection.close()
    return (found - datetime.now(UTC)).total_seconds()


async def _redis_clock(url: str) -> float:
    client = redis_client.client(url, connections=1, timeout_s=ANSWER_S, **_options())
    try:
        async with asyncio.timeout(ANSWER_S):
            seconds, microseconds = await client.time()
    except (RedisError, OSError, TimeoutError):
        return float("nan")  # the check “redis” reports it
    finally:
        await client.aclose()
    return float(seconds) + microseconds / 1e6 - time.time()
