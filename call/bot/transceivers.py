"""The four slots of a peer connection.

static/js/webrtc/transceivers.js has them for pages.
"""

from typing import Literal

from aiortc import RTCPeerConnection, RTCRtpTransceiver

from call.protocol import Media

Slot = Literal["microphone", "camera", "screen", "screen_sound"]

# The order of the m-lines, which is part of the protocol between participants.
LAYOUT: tuple[tuple[Slot, str], ...] = (
    ("microphone", "audio"),
    ("camera", "video"),
    ("screen", "video"),
    ("screen_sound", "audio"),
)


def add_transceivers(pc: RTCPeerConnection) -> None:
    """Add all four slots for both directions, for the side that offers.

    Media that are switched on later then need no negotiation.
    """
    for _, kind in LAYOUT:
        pc.addTransceiver(kind, direction="sendrecv")


def match_transceivers(pc: RTCPeerConnection) -> dict[Slot, RTCRtpTransceiver]:
    """The transceivers of a remote description, by their order within a kind.

    A foreign peer may have fewer.
    """
    slots: dict[Slot, RTCRtpTransceiver] = {}
    for kind in ("audio", "video"):
        found = [t for t in pc.getTransceivers() if t.kind == kind and t.mid is not None]
        names = [name for name, its_kind in LAYOUT if its_kind == kind]
        for name, transceiver in zip(names, found, strict=False):
            if transceiver.stopped:
                continue
            if transceiver.direction != "sendrecv":
                transceiver.direction = "sendrecv"
            slots[name] = transceiver
    return slots


def is_live(slot: Slot, media: Media) -> bool:
    """Whether `media` means that a slot's track is sent."""
    match slot:
        case "microphone":
            return media.audio
        case "camera":
            return media.video
        case _:
            return media.screen
