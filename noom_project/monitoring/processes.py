"""Which server processes share this database, and whether they can work together.

Each process writes a sign of life, by the database's clock. The write also proves that the database
takes writes: with a full disk it still answers queries.
"""

import asyncio
import logging
import secrets
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from chat.runtime import PROCESS
from chat.storage import database
from noom_project.assets import shared_files
from noom_project.models import Process

BEAT_EVERY_S = 5.0
ALIVE = timedelta(seconds=15)
KEEP = timedelta(days=1)
RUN = secrets.token_hex(16)

log = logging.getLogger(__name__)


class CannotShare(Exception):
    """Another process serves the same rooms, and no Redis connects the two."""


def beat() -> None:
    """Writes that this process is alive."""
    if not Process.objects.filter(pk=RUN).update(seen_at=Now()):
        Process.objects.create(run=RUN, name=PROCESS, alone=not settings.REDIS_URLS)
        Process.objects.filter(seen_at__lt=Now() - KEEP).delete()


def meet() -> None:
    """Logs other processes that serve the same rooms without a way to this one.

    Raises CannotShare if this process must not be ready. Of two without Redis it is the younger
    one, so that a load balancer keeps everybody at one process.
    """
    me = Process.objects.filter(pk=RUN).first()
    if me is None:
        return
    # A process that was killed earlier has not written since this one started.
    others = Process.objects.exclude(pk=RUN).filter(
        seen_at__gt=Now() - ALIVE, seen_at__gte=me.started_at
    )
    if not me.alone:
        others = others.filter(alone=True)
    names = sorted(others.values_list("name", flat=True))
    _tell(names)
    elders = others.filter(Q(alone=False) | Q(started_at__lt=me.started_at))
    if me.alone and elders.exists():
        raise CannotShare(f"{', '.join(names)} serves the same rooms")


def end() -> None:
    """Removes the sign of life of this process, which ends."""
    Process.objects.filter(pk=RUN).delete()


async def watch() -> None:
    """Calls `beat` and `meet` while this process serves, and shares its files."""
    while True:
        try:
            await database.probe(beat)
            await database.probe(meet)
            if shared_files.is_due():
                await database.probe(shared_files.publish)
        except CannotShare:
            pass  # `meet` has logged it, and /readyz shows it
        except Exception as error:
            log.debug("this process could not write its sign of life: %s", error)
        await asyncio.sleep(BEAT_EVERY_S)


class _Told:
    names: ClassVar[list[str]] = []


def _tell(names: list[str]) -> None:
    """Logs the other processes, once for each change."""
    if names and names != _Told.names:
        log.error(
            "%s and this process (%s) share a database, but not a Redis: people in the same room"
            " do not see each other. Set the same REDIS_URL for all processes, or stop one.",
            ", ".join(names),
            PROCESS,
        )
    _Told.names = names
