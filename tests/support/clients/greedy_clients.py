"""Clients of one address that do as much as each of them may.

`python -m tests.support.clients.greedy_clients URL ROOM READERS TYPERS WRITERS [CHARS]`

In a process of their own, they read the history of ROOM, type in it, and write in rooms of ten. The
process prints "ready" when all are in, begins at the next line of its input, and ends with its
input; then it prints the outcomes as JSON.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.support.clients.protocol_client import Refusal
from tests.support.clients.websocket import Wire

ADDRESS = "127.0.0.2"
PACE_S = 0.105  # a socket may send ten messages a second
IN_A_ROOM = 10


class Greedy:
    """All greedy clients, and the outcomes of their requests."""

    def __init__(self, url: str, room: str, chars: int) -> None:
        self._url, self._room, self._chars = url, room, chars
        self.outcomes: Counter[str] = Counter()

    async def open(self, key: str, stack: contextlib.AsyncExitStack) -> Wire:
        wire = Wire(self._url, f"/ws/chat/{key}/", address=ADDRESS)
        await stack.enter_async_context(wire)
        await wire.enter("Greedy")
        return wire

    async def act(self, wire: Wire, name: str, deed: Callable[[], Awaitable[object]]) -> None:
        """Repeat an action at the rate that one socket may keep."""
        while wire.close_code is None:
            began = time.monotonic()
            try:
                await deed()
                self.outcomes[name] += 1
            except Refusal as refusal:
                self.outcomes[f"{name}: {refusal.code}"] += 1
            except (ConnectionError, TimeoutError):
                self.outcomes[f"{name}: no answer"] += 1
            wire.forget()
            await asyncio.sleep(max(0.0, began + PACE_S - time.monotonic()))
        self.outcomes[f"closed with {wire.close_code}"] += 1

    async def run(self, readers: int, typers: int, writers: int) -> None:
        loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as stack:
            deeds = []
            for _ in range(readers):
                wire = await self.open(self._room, stack)
                deeds.append((wire, "history", self._reading(wire)))
            for _ in range(typers):
                wire = await self.open(self._room, stack)
                deeds.append((wire, "typing", self._typing(wire)))
            for number in range(writers):
                wire = await self.open(f"greedy-{number // IN_A_ROOM}", stack)
                deeds.append((wire, "message", self._writing(wire)))
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await loop.run_in_executor(None, sys.stdin.readline)
            tasks = [asyncio.create_task(self.act(*deed)) for deed in deeds]
            await loop.run_in_executor(None, sys.stdin.read)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            sys.stdout.write(json.dumps(self.outcomes))

    def _reading(self, wire: Wire) -> Callable[[], Awaitable[object]]:
        return lambda: wire.request("history", before=2**53 - 1, limit=100)

    def _typing(self, wire: Wire) -> Callable[[], Awaitable[object]]:
        on = [False]

        async def toggle() -> None:
            on[0] = not on[0]
            await wire.send("typing", on=on[0])

        return toggle

    def _writing(self, wire: Wire) -> Callable[[], Awaitable[object]]:
        return lambda: wire.post("x" * self._chars)


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "noom_project.settings")
    django.setup()
    url, room, *numbers = sys.argv[1:]
    chars = int(numbers[3]) if len(numbers) > 3 else 60
    asyncio.run(Greedy(url, room, chars).run(*map(int, numbers[:3])))
