"""Django's pages on a bounded number of threads and database connections."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler

THREADS = 8  # each with at most one connection, which ends with the request; others wait


class Viewers(ASGIHandler):
    """Django's handler; each request goes to the thread with the fewest requests.

    Stock Django makes a thread for each request: a thousand requests at once are a thousand
    threads, and as many connections.
    """

    def __init__(self) -> None:
        super().__init__()
        self._threads = {
            ThreadPoolExecutor(1, thread_name_prefix=f"pages-{number}"): 0
            for number in range(THREADS)
        }

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        thread = min(self._threads, key=self._threads.__getitem__)
        self._threads[thread] += 1
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            self._threads[thread] -= 1
