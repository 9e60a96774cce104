"""One RTCPeerConnection of aiortc: signals in, signals out, no socket."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCIceTransportPolicy

from call.bot import sdp
from call.bot.media.sources import Source
from call.bot.media.track_relay import RelayedTrack, TrackRelay
from call.bot.transceivers import Slot, add_transceivers, is_live, match_transceivers
from call.protocol import Answer, Candidate, Description, IceServer, Media, Offer

OFFER_DELAY_S = 4.0  # the polite side waits so long for a remote offer
ANSWER_TIMEOUTS_S = (4.0, 4.0, 8.0, 15.0)  # until an offer is sent again; the last one repeats
CONNECT_TIMEOUT_S = 20.0  # from both descriptions to a connection; then a new one
MAX_PENDING_CANDIDATES = 100  # without their description; older ones are dropped


@dataclass(frozen=True)
class PeerOptions:
    """Parameters and callbacks of a peer.

    The peer calls `polite` each time it matters. It calls `on_replace` if only a new connection can
    help: to answer this offer, or (None) to make one.
    """

    polite: Callable[[], bool]
    ice_servers: list[IceServer]
    relay_only: bool
    source: Source
    sent_media: Callable[[], Media]
    next_number: Callable[[], int]
    send: Callable[[type[Offer] | type[Answer], Description], Awaitable[None]]
    on_frame: Callable[[Slot], None]
    on_connected: Callable[[dict[Slot, TrackRelay]], None]
    on_replace: Callable[[Description | None], None]
    on_error: Callable[[Exception], None]


@dataclass
class Peer:
    """A connection to one participant, from `start` or a first signal to `close`."""

    options: PeerOptions
    received: dict[Slot, TrackRelay] = field(default_factory=dict)
    pending_candidates: list[Candidate] = field(default_factory=list)  # without their description
    _sent: dict[Slot, RelayedTrack] = field(default_factory=dict)
    _offer_numbers: set[int] = field(default_factory=set)  # the numbers of the unanswered offer
    _unanswered: int = 0
    _signal_timer: asyncio.TimerHandle | None = None
    _health_timer: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self.pc = RTCPeerConnection(
            _configuration(self.options.ice_servers, relay_only=self.options.relay_only)
        )
        self.pc.on("connectionstatechange", self._on_connection_state)
        self._operations: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._worker = asyncio.create_task(self._work())

    def start(self) -> None:
        """Send an offer, or as the polite side wait a while for the remote one."""
        if self.options.polite():
            self._schedule_offer(OFFER_DELAY_S, self._has_no_description)
        else:
            self._operations.put_nowait(self._offer_if(self._has_no_description))

    def receive(self, kind: type, body: Description | Candidate | None) -> None:
        """Queue an offer, an answer or a candidate (None: the last one has come)."""
        if isinstance(body, Description):
            take = self._take_offer if kind is Offer else self._take_answer
            self._operations.put_nowait(partial(take, body))
        else:
            self._operations.put_nowait(partial(self._take_candidate, body))

    def refresh(self) -> None:
        """Send exactly the live media, after a change."""
        slots = match_transceivers(self.pc)
        for name, track in self._sent.items():
            if name not in slots:
                continue  # the connection has ended
            wanted = track if is_live(name, self.options.sent_media()) else None
            if slots[name].sender.track is not wanted:
                slots[name].sender.replaceTrack(wanted)

    async def close(self) -> None:
        for timer in (self._signal_timer, self._health_timer):
            if timer:
                timer.cancel()
        self.pc.remove_all_listeners()
        self._worker.cancel()
        with suppress(asyncio.CancelledError):
            await self._worker
        await self.pc.close()
        for track in self._sent.values():
            track.stop()
        for fan in self.received.values():
            await fan.stop()

    async def _work(self) -> None:
        """Run one operation at a time, so that none meets a half-made change."""
        while True:
            operation = await self._operations.get()
            try:
                await operation()
            except Exception as error:
                self.options.on_error(error)

    def _offer_if(self, needed: Callable[[], bool]) -> Callable[[], Awaitable[None]]:
        async def offer() -> None:
            if needed():
                await self._offer()

        return offer

    async def _offer(self) -> None:
        if self.pc.localDescription is None:
            add_transceivers(self.pc)
            await self.pc.setLocalDescription()
        # A repeated offer only has a new number, so an answer to each of them is safe.
        number = self.options.next_number()
        self._offer_numbers.add(number)
        again_s = ANSWER_TIMEOUTS_S[min(self._unanswered, len(ANSWER_TIMEOUTS_S) - 1)]
        self._unanswered += 1
        self._schedule_offer(again_s, lambda: number in self._offer_numbers)
        await self.options.send(Offer, Description(number, self.pc.localDescription.sdp))

    async def _take_offer(self, offer: Description) -> None:
        collision = self.pc.signalingState == "have-local-offer"
        if collision and not self.options.polite():
            return
        # aiortc knows neither rollback nor an ICE restart.
        if collision or self.pc.signalingState == "closed" or self._is_new_connection(offer):
            self.options.on_replace(offer)
            return
        await self.pc.setRemoteDescription(sdp.description(offer.sdp, "offer"))
        self._fill()
        await self.pc.setLocalDescription()
        await self.options.send(Answer, Description(offer.number, self.pc.localDescription.sdp))
        await self._settle()

    async def _take_answer(self, answer: Description) -> None:
        if answer.number not in self._offer_numbers or self.pc.signalingState == "closed":
            return
        await self.pc.setRemoteDescription(sdp.description(answer.sdp, "answer"))
        self._offer_numbers.clear()
        self._fill()
        await self._settle()

    def _fill(self) -> None:
        """Relay the received tracks, and put the own ones into their slots."""
        if self.received or self._sent:
            return
        slots = match_transceivers(self.pc)
        for name, transceiver in slots.items():
            if transceiver.receiver.track is not None:
                seen = partial(self.options.on_frame, name)
                self.received[name] = TrackRelay(transceiver.receiver.track, seen)
        for fan in self.received.values():
            fan.start()
        tracks = self.options.source.tracks(self.received)
        self._sent = {name: track for name, track in tracks.items() if name in slots}
        for name in tracks.keys() - self._sent.keys():
            tracks[name].stop()
        self.refresh()

    async def _settle(self) -> None:
        """Finish a negotiation: take the candidates that waited for it."""
        if self._signal_timer:
            self._signal_timer.cancel()
        if self.pc.connectionState != "connected":
            self._watch(CONNECT_TIMEOUT_S)
        early, self.pending_candidates = self.pending_candidates, []
        for candidate in early:
            await self._take_candidate(candidate)

    async def _take_candidate(self, candidate: Candidate | None) -> None:
        if candidate is None:
            return  # aiortc needs no end of the candidates
        remote = self.pc.remoteDescription
        if remote is None or not sdp.fits(candidate, remote.sdp):
            self.pending_candidates = [*self.pending_candidates, candidate][
                -MAX_PENDING_CANDIDATES:
            ]
            return
        # Only one path is lost by a malformed candidate, by a kind of address that aioice does not
        # know, or by a closed connection.
        with suppress(sdp.BadSignal, AssertionError, ValueError, OSError):
            await self.pc.addIceCandidate(sdp.candidate(candidate))

    def _has_no_description(self) -> bool:
        return not self._offer_numbers and self.pc.remoteDescription is None

    def _is_new_connection(self, offer: Description) -> bool:
        """Whether an offer needs a new connection.

        Another certificate means another connection, another ICE user an ICE restart.
        """
        known = self.pc.remoteDescription
        return known is not None and sdp.identity_attributes(known.sdp) != sdp.identity_attributes(
            offer.sdp
        )

    def _on_connection_state(self) -> None:
        match self.pc.connectionState:
            case "connected":
                if self._health_timer:
                    self._health_timer.cancel()
                self.options.on_connected(self.received)
            case "failed" | "closed":
                # The remote side may be making a new connection already, or be gone.
                self._watch(OFFER_DELAY_S if self.options.polite() else OFFER_DELAY_S / 2)

    def _watch(self, patience_s: float) -> None:
        def look() -> None:
            if self.pc.connectionState != "connected":
                self.options.on_replace(None)

        if self._health_timer:
            self._health_timer.cancel()
        self._health_timer = asyncio.get_running_loop().call_later(patience_s, look)

    def _schedule_offer(self, delay_s: float, needed: Callable[[], bool]) -> None:
        if self._signal_timer:
            self._signal_timer.cancel()
        self._signal_timer = asyncio.get_running_loop().call_later(
            delay_s, self._operations.put_nowait, self._offer_if(needed)
        )


def _configuration(servers: list[IceServer], *, relay_only: bool) -> RTCConfiguration:
    policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
    return RTCConfiguration(
        # Without a list aiortc uses a STUN server of a third party.
        iceServers=[RTCIceServer(one.urls, one.username, one.credential) for one in servers],
        iceTransportPolicy=policy,
        bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
    )
