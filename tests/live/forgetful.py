"""A way to a server on which connections die without a word, as a host does that loses power."""

import asyncio
import contextlib
import threading
from typing import Self

CHUNK = 64 * 1024
START_S = 5.0


class Forgetful:
    """Passes TCP connections on to a port. `forget` leaves all that there are open and silent: what
    comes is acknowledged and thrown away. Later ones reach the server as if it were elsewhere now.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.forgotten = 0  # connections that were
        self._target = target
        self._age = 0
        self._open = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(START_S), "the proxy did not start"
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)

    def forget(self) -> None:
        """The host behind all present connections is no more."""
        self._age, self.forgotten = self._age + 1, self._open

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0.1))  # what is closed is so in a later turn
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._open += 1
        halves = [self._pass_on(reader, back), self._pass_on(there, writer)]
        tasks = [asyncio.ensure_future(half) for half in halves]
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the test is over
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open -= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for end in (writer, back):
                end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        age = self._age
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if age == self._age:
                    writer.write(chunk)
                    await writer.drain()
        if age != self._age:
            await asyncio.Event().wait()  # its end is not passed on either
