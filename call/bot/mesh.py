"""The peers of a participant in a call, and the signals of each peer."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from call.bot.connection_watch import CallWatch
from call.bot.media.sources import Source
from call.bot.media.track_relay import TrackRelay
from call.bot.peer import Peer, PeerOptions
from call.bot.transceivers import Slot
from call.protocol import (
    Answer,
    AnswerEvent,
    Caller,
    Description,
    Ice,
    IceEvent,
    IceFailed,
    IceServer,
    Media,
    Offer,
    OfferEvent,
)

UNKNOWN_SENDER_TIMEOUT_S = 10.0  # a sender of signals who is in no roster by then is dropped

MESSAGE_TYPES = {OfferEvent: Offer, AnswerEvent: Answer, IceEvent: Ice}


@dataclass
class MeshEntry:
    peer: Peer
    session: str
    confirm_timer: asyncio.TimerHandle | None = None


@dataclass
class Mesh:
    """The connections of one participant until `close`.

    static/js/webrtc/mesh.js does this for pages.
    """

    you: str
    ice_servers: list[IceServer]
    relay_only: bool
    source: Source
    sent_media: Callable[[], Media]
    send: Callable[[Offer | Answer | IceFailed], Awaitable[None]]
    on_connected: Callable[[str, dict[Slot, TrackRelay]], None]
    on_error: Callable[[Exception], None]
    frames: dict[str, Counter[Slot]] = field(default_factory=dict)
    _entries: dict[str, MeshEntry] = field(default_factory=dict)
    _callers: Mapping[str, Caller] = field(default_factory=dict)
    _last_offer: dict[str, int] = field(
        default_factory=dict
    )  # the number of the last offer, by session
    _replaced_sessions: set[str] = field(
        default_factory=set
    )  # sessions that a newer one has replaced
    _closing: set[asyncio.Task[None]] = field(default_factory=set)
    _closed: bool = False

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self._watch = CallWatch(lambda: self.peers, self.send)
        self._watch.start()

    @property
    def peers(self) -> dict[str, Peer]:
        return {id: entry.peer for id, entry in self._entries.items()}

    def set_callers(self, callers: Mapping[str, Caller]) -> None:
        """Open and close peers for the callers that the server knows.

        The participant itself is among them.
        """
        if self._closed:
            return
        self._callers = callers
        for caller in callers.values():
            if caller.id != self.you and caller.session not in self._replaced_sessions:
                self._connect(caller)
        for id, entry in list(self._entries.items()):
            if id not in callers and entry.confirm_timer is None:
                self._drop(id)

    def signal(self, event: OfferEvent | AnswerEvent | IceEvent) -> None:
        """Hand a signal to the peer of its sender.

        An offer may come before the roster that names its sender, and a candidate before the offer.
        """
        sender, session = event.sender, event.session
        if self._closed or session in self._replaced_sessions or sender == self.you:
            return
        body = event.candidate if isinstance(event, IceEvent) else event.description
        if isinstance(event, OfferEvent) and not self._is_new(session, event.description):
            return
        entry = self._entries.get(sender)
        if entry is None or entry.session != session:
            if isinstance(event, AnswerEvent):
                return
            entry = self._open(sender, session)
            loop = asyncio.get_running_loop()
            entry.confirm_timer = loop.call_later(UNKNOWN_SENDER_TIMEOUT_S, self._drop, sender)
        entry.peer.receive(MESSAGE_TYPES[type(event)], body)

    def refresh(self) -> None:
        """Send exactly the live media, after a change."""
        for entry in self._entries.values():
            entry.peer.refresh()

    async def close(self) -> None:
        self._closed = True
        await self._watch.stop()
        for id in list(self._entries):
            self._drop(id)
        await asyncio.gather(*self._closing)

    def _connect(self, caller: Caller) -> None:
        entry = self._entries.get(caller.id)
        if entry is None or entry.session != caller.session:
            self._open(caller.id, caller.session).peer.start()
        elif entry.confirm_timer is not None:
            entry.confirm_timer.cancel()
            entry.confirm_timer = None
            entry.peer.start()

    def _open(self, id: str, session: str) -> MeshEntry:
        old = self._entries.get(id)
        if old and old.session != session:
            self._replaced_sessions.add(old.session)
        self._drop(id)
        frames = self.frames.setdefault(id, Counter())

        async def send(kind: type[Offer] | type[Answer], description: Description) -> None:
            await self.send(kind(to=id, session=session, description=description))

        options = PeerOptions(
            polite=lambda: self._is_polite(id),
            ice_servers=self.ice_servers,
            relay_only=self.relay_only,
            source=self.source,
            sent_media=self.sent_media,
            next_number=lambda: next(self._numbers),
            send=send,
            on_frame=lambda slot: frames.update((slot,)),
            on_connected=lambda received: self.on_connected(id, received),
            on_replace=lambda offer: self._replace_peer(id, offer),
            on_error=self.on_error,
        )
        entry = self._entries[id] = MeshEntry(Peer(options), session)
        return entry

    def _drop(self, id: str) -> None:
        entry = self._entries.pop(id, None)
        if entry is None:
            return
        if entry.confirm_timer:
            entry.confirm_timer.cancel()
        self._own(entry.peer.close())

    def _own(self, closing: Coroutine[Any, Any, None]) -> None:
        # Not awaited, because a peer may request its own end.
        task = asyncio.create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _replace_peer(self, id: str, offer: Description | None) -> None:
        """Replace a connection within its session.

        The remote side, too, begins anew when it receives the new certificate.
        """
        old = self._entries.get(id)
        if old is None or self._closed:
            return
        stranger, old.confirm_timer = old.confirm_timer, None
        entry = self._open(id, old.session)
        entry.confirm_timer = stranger
        for candidate in old.peer.pending_candidates:
            entry.peer.receive(Ice, candidate)
        if offer:
            entry.peer.receive(Offer, offer)
        else:
            entry.peer.start()

    def _is_new(self, session: str, offer: Description) -> bool:
        if offer.number <= self._last_offer.get(session, -1):
            return False
        self._last_offer[session] = offer.number
        return True

    def _is_polite(self, id: str) -> bool:
        """Whether this participant came later than another, and so is polite.

        A caller that no roster names yet has just come.
        """
        return self._arrival(self.you) > self._arrival(id)

    def _arrival(self, id: str) -> tuple[float, str]:
        caller = self._callers.get(id)
        return (caller.since if caller else float("inf"), id)
