"""Shutdown of a participant's parts, within a bounded time."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

END_S = 1.0  # the caller does not wait longer; the part goes on ending

log = logging.getLogger(__name__)


async def end_all(*parts: Coroutine[Any, Any, None]) -> None:
    """End all parts at once; a part that fails or hangs keeps no other one open."""
    tasks = [asyncio.create_task(part) for part in parts]
    done, late = await asyncio.wait(tasks, timeout=END_S) if tasks else (set(), set())
    for task in done:
        if not task.cancelled() and (error := task.exception()):
            log.error("A part of a participant did not end: %r", error, exc_info=error)
    if late:
        log.warning("%s parts of a participant did not end within %s s.", len(late), END_S)
