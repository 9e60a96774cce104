"""The size of the database and the free space on its disk, once a minute."""

import asyncio
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from chat.storage import database

EVERY_S = 60.0  # PostgreSQL reads the size of each file of the database
PATIENCE_S = 1.5  # then the older measurement counts
SQLITE_FILES = ("", "-wal", "-shm")


class Use(NamedTuple):
    database_bytes: int
    free_bytes: int


class _Last:
    use: Use | None = None
    at = 0.0


def last() -> Use | None:
    """Returns the last measurement; None before the first."""
    return _Last.use


async def measure() -> Use | None:
    """Returns a measurement of the last minute, or an older one if measuring fails."""
    if _Last.use is None or time.monotonic() - _Last.at > EVERY_S:
        _Last.at = time.monotonic()
        with suppress(Exception):  # /readyz reports faults of the database
            async with asyncio.timeout(PATIENCE_S):
                _Last.use = await database.probe(_measure)
    return _Last.use


def _measure() -> Use:
    if connection.vendor == "sqlite":
        path = str(connection.settings_dict["NAME"])
        files = [Path(path + end) for end in SQLITE_FILES]
        used = sum(file.stat().st_size for file in files if file.exists())
        return Use(used, shutil.disk_usage(Path(path).parent).free)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        (used,) = cursor.fetchone()
    return Use(used, shutil.disk_usage(settings.BASE_DIR).free)
