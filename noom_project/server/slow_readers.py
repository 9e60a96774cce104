"""Whether the reader of an HTTP answer reads: an answer waits for it, for a while."""

import asyncio
import contextlib
import logging
import struct
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Any

from chat.realtime.rate_limits import network
from chat.stats import counts

READ_WITHIN_S = 20.0  # without one byte read, a reader is cut off
LOOK_EVERY_S = 1.0

log = logging.getLogger(__name__)


class Reader:
    """The other side of one connection.

    The transport says when it holds too much, and when it has written that. The answer pauses in
    between, so its length costs no memory, and only a reader that makes no progress is cut off.
    """

    def __init__(self) -> None:
        self._is_free = asyncio.Event()
        self._is_free.set()
        self._timer: asyncio.TimerHandle | None = None
        self._left = 0
        self._still_looks = 0

    async def ready(self) -> None:
        """Returns when more can be written, or when the connection is gone."""
        await self._is_free.wait()

    def fall_behind(self, transport: Any) -> None:
        """The transport holds what has not been read."""
        self._is_free.clear()
        if self._timer is None:
            self._left, self._still_looks = waiting(transport), 0
            self._wait(transport)

    def catch_up(self) -> None:
        """Everything was written, or never will be."""
        self._is_free.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, transport: Any) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LOOK_EVERY_S, self._look, transport)

    def _look(self, transport: Any) -> None:
        left = waiting(transport)
        # The kernel's queue may grow by what the transport hands to it, but both together shrink.
        self._still_looks = 0 if left < self._left else self._still_looks + 1
        self._left = left
        if not left:
            self.catch_up()
        elif self._still_looks * LOOK_EVERY_S < READ_WITHIN_S:
            self._wait(transport)
        else:
            self._cut_off(transport, left)

    def _cut_off(self, transport: Any, left: int) -> None:
        counts.readers_cut_off += 1
        address = network(str(getattr(transport.getPeer(), "host", "")))
        log.warning(
            "A reader was cut off: it read nothing for %g s, and %d bytes waited.",
            READ_WITHIN_S,
            left,
            extra={"address": address},
        )
        transport.abortConnection()


def unsent(transport: Any) -> int:
    """Bytes that a connection holds for its reader."""
    written = len(getattr(transport, "dataBuffer", b"")) - getattr(transport, "offset", 0)
    return written + int(getattr(transport, "_tempDataLen", 0))


def waiting(transport: Any) -> int:
    """The same, with those that the kernel holds: it says seldom that there is room again, so a
    reader of a few kilobytes a second would seem to read nothing for minutes."""
    tcp = getattr(transport, "transport", transport)  # below TLS
    held = unsent(tcp)
    with contextlib.suppress(AttributeError, OSError, ValueError):
        held += struct.unpack("i", ioctl(tcp.socket.fileno(), TIOCOUTQ, b"\0" * 4))[0]
    return held
