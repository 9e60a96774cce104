"""Bots in a thread of their own; Playwright's loop runs in the main thread."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

from call.bot.participant import Participant
from tests.support.patience import PATIENCE

DEADLINE_S = 30 * PATIENCE

Value = TypeVar("Value")


class Loop:
    """A running asyncio loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="participants")
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Value]) -> Value:
        """Run the coroutine in the thread and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE_S)

    @contextmanager
    def joined(self, participant: Participant) -> Iterator[Participant]:
        """Run a bot in the room and its call while the block runs."""
        self.run(participant.__aenter__())
        try:
            yield participant
        finally:
            self.run(participant.leave())

    def stop(self) -> None:
        self.run(self._loop.shutdown_default_executor())
        left = self.run(_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        assert left == [], left


async def _others() -> list[str]:
    """Return the tasks that nobody has ended."""
    await asyncio.sleep(0.1)  # aiortc ends its last tasks by itself
    return [repr(task) for task in asyncio.all_tasks() - {asyncio.current_task()}]
