"""Bounds for HTTP connections: incomplete requests, idleness, slow readers."""

from collections import Counter
from typing import Any

from django.conf import settings
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from chat.realtime.rate_limits import network
from noom_project.server.idle_connections import idle
from noom_project.server.slow_readers import Reader, unsent

MAX_UNFINISHED = 100  # of one address; further connections are aborted
FINISHED_WITHIN_S = 15.0  # headers and body; then the connection is aborted


def _counts_addresses() -> bool:
    """Whether connections count by address; not behind a proxy, which makes all."""
    return bool(settings.RATE_LIMITS and not settings.TRUSTED_PROXIES)


unfinished: Counter[str] = Counter()  # by address
requesting: "set[GuardedChannel]" = set()  # those whose request is not complete


class GuardedChannel(HTTPChannel):
    """An HTTP connection with a deadline for each request.

    Stock Twisted grants another minute for every byte, so a thousand connections that send one now
    and then stay open for ever. Behind a trusted proxy, which waits for whole requests itself, all
    connections come from one address and none is refused.
    """

    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self._address: str | None = None  # while it is counted
        self._deadline: Any = None
        self.reader = Reader()
        self._is_socket = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self._begin()

    def dataReceived(self, data: bytes) -> None:
        idle.discard(self._peer(), self)
        if self._deadline is None and not self._handlingRequest:
            self._begin()  # the next request of the same connection
        super().dataReceived(data)

    def allContentReceived(self) -> None:
        self._end()
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """Bounds idle connections: stock Twisted keeps any number of them for a minute."""
        super().requestDone(request)
        is_idle = self.persistent and not self._handlingRequest and self._deadline is None
        if is_idle and _counts_addresses():
            idle.add(self._peer(), self, self.loseConnection)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        idle.discard(self._peer(), self)
        self._end()
        self.reader.catch_up()
        super().connectionLost(reason)

    def becomes_socket(self) -> None:
        """Stops watching the reader; a WebSocket watches its own."""
        self._is_socket = True
        idle.discard(self._peer(), self)
        self.reader.catch_up()

    def pauseProducing(self) -> None:
        super().pauseProducing()
        if not self._is_socket:
            self.reader.fall_behind(self.transport)

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self.reader.catch_up()

    def loseConnection(self) -> None:
        """Closes the connection; stock Twisted waits for its reader without end."""
        super().loseConnection()
        if unsent(self.transport):
            self.reader.fall_behind(self.transport)

    def _peer(self) -> str:
        return network(str(getattr(self.transport.getPeer(), "host", "")))

    def _begin(self) -> None:
        address, is_counted = self._peer(), _counts_addresses()
        if is_counted and unfinished[address] >= MAX_UNFINISHED:
            self.transport.abortConnection()
            return
        self._deadline = self.callLater(FINISHED_WITHIN_S, self.transport.abortConnection)
        requesting.add(self)
        if is_counted:
            unfinished[address] += 1
            self._address = address

    def _end(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
        requesting.discard(self)
        if self._address is not None:
            unfinished[self._address] -= 1
            if not unfinished[self._address]:
                del unfinished[self._address]
            self._address = None
