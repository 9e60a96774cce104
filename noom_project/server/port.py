"""The listening port: a long queue, few connections accepted in a round, and no connection reset.

Stock Twisted queues fifty connections, and the kernel retries others ever later. It accepts the
queue in one go. When it closes a port, it resets the connections that have arrived meanwhile; a
proxy takes those for established and fails its browser.
"""

import asyncio
import ctypes
import logging
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

QUEUE = 4_096  # connections that wait for accept; the kernel's own limit may be lower
MAX_ACCEPTS_PER_TURN = 2  # of the event loop; the others wait for the next round
# Between the last admitted SYN and the close: time for the third packet of open handshakes.
HANDSHAKE_S = 0.02

# A classic BPF program over a TCP segment: drop it if it is a SYN (flags in byte 13).
# Format of an instruction: struct sock_filter of linux/filter.h.
_DROP_SYN = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the flags
        (0x45, 0, 1, 0x02),  # is SYN set? else skip one
        (0x06, 0, 0, 0),  # drop
        (0x06, 0, 0, 0xFFFFFFFF),  # keep
    )
)
_SO_ATTACH_FILTER = 26  # of Linux on x86 and ARM; Python's socket module does not name it

log = logging.getLogger(__name__)


class Port:
    """Twisted's port, with the queue of this server and a close that resets nobody."""

    def __init__(self, port: Any) -> None:
        self.is_open = True
        self._port = port
        self._accept: Callable[[], None] = port.doRead
        self._close: Callable[[Any], None] = port.connectionLost
        port.socket.listen(QUEUE)
        port.doRead = self._accept_some

    def stop(self) -> None:
        """Ignores new connections, accepts those that are established, then closes the port.

        A client whose SYN is ignored sends it again after a second, and is refused.
        """
        _ignore_new_connections(self._port.socket)
        self._port.connectionLost = self._accept_all_and_close
        asyncio.get_running_loop().call_later(HANDSHAKE_S, self._port.stopListening)

    def _accept_some(self) -> None:
        self._port.numberAccepts = min(self._port.numberAccepts, MAX_ACCEPTS_PER_TURN)
        self._accept()

    def _accept_all_and_close(self, reason: Any) -> None:
        self._port.disconnecting = False  # or nothing is accepted
        self._port.numberAccepts = QUEUE
        self._accept()
        self._close(reason)
        self.is_open = False


def _ignore_new_connections(listening: socket.socket) -> None:
    """Makes the kernel drop every SYN; without this, one can arrive after the last accept."""
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(_DROP_SYN)
    length = len(_DROP_SYN) // struct.calcsize("HBBI")
    try:
        listening.setsockopt(
            socket.SOL_SOCKET,
            _SO_ATTACH_FILTER,
            struct.pack("HL", length, ctypes.addressof(program)),
        )
    except OSError as error:
        log.warning("connections that arrive while the port closes may be reset: %s", error)
