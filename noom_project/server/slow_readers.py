"""Backpressure of HTTP answers: each waits for its reader, for a bounded time."""

import asyncio
import logging
import struct
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Any

from twisted.protocols.policies import ProtocolWrapper

from chat.realtime.rate_limits import network
from chat.stats import counts

READ_WITHIN_S = 20.0  # without one byte read; then the connection is aborted
LOOK_EVERY_S = 1.0

log = logging.getLogger(__name__)


class Reader:
    """The reader at the other end of one connection.

    The transport reports when its buffer is too full, and when it is written. The answer pauses in
    between, so its length costs no memory. Only a reader without progress is cut off.
    """

    def __init__(self) -> None:
        self._is_free = asyncio.Event()
        self._is_free.set()
        self._timer: asyncio.TimerHandle | None = None
        self._left = 0
        self._still_looks = 0

    async def ready(self) -> None:
        """Returns when the transport takes more, or when the connection is closed."""
        await self._is_free.wait()

    def fall_behind(self, transport: Any) -> None:
        """Notes that the transport holds unread bytes."""
        self._is_free.clear()
        if self._timer is None:
            self._left, self._still_looks = waiting(transport), 0
            self._wait(transport)

    def catch_up(self) -> None:
        """Notes that the transport has written everything, or is closed."""
        self._is_free.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, transport: Any) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LOOK_EVERY_S, self._look, transport)

    def _look(self, transport: Any) -> None:
        left = waiting(transport)
        # The transport moves bytes into the kernel's queue, so only their sum shows progress.
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
    """Returns the bytes that a transport holds for its reader."""
    tcp = _below_tls(transport)
    return int(len(tcp.dataBuffer) - tcp.offset + tcp._tempDataLen)


def waiting(transport: Any) -> int:
    """Returns the unread bytes of a transport and of the kernel's queue.

    The kernel seldom reports free space. Without its queue a reader of a few kilobytes a second
    would seem to read nothing for minutes.
    """
    tcp, held = _below_tls(transport), unsent(transport)
    if tcp.connected:
        held += struct.unpack("i", ioctl(tcp.socket.fileno(), TIOCOUTQ, b"\0" * 4))[0]
    return held


def _below_tls(transport: Any) -> Any:
    return transport.transport if isinstance(transport, ProtocolWrapper) else transport
