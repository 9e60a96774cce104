"""Session descriptions and candidates, parsed for aiortc with one kind of error."""

import re

from aiortc import RTCIceCandidate, RTCSessionDescription
from aiortc.sdp import SessionDescription, candidate_from_sdp

from call.protocol import Candidate


class BadSignal(Exception):
    """A description (RFC 8866) or candidate (RFC 8839) that aiortc cannot read."""


def description(sdp: str, kind: str) -> RTCSessionDescription:
    """Make an `offer` or an `answer` that aiortc can read. Raises BadSignal."""
    try:
        SessionDescription.parse(sdp)
    except Exception as error:  # the parser raises errors of many kinds
        raise BadSignal(f"{kind}: {error!r:.200}") from error
    return RTCSessionDescription(sdp, kind)


def candidate(one: Candidate) -> RTCIceCandidate:
    """Make a candidate of aiortc. Raises BadSignal."""
    try:
        parsed = candidate_from_sdp(one.candidate.partition(":")[2])
    except Exception as error:
        raise BadSignal(f"candidate: {error!r:.200}") from error
    parsed.sdpMid = one.sdp_mid
    parsed.sdpMLineIndex = one.sdp_m_line_index
    return parsed


def identity_attributes(sdp: str) -> tuple[str, ...]:
    """The certificate and the ICE user of a description."""
    found = [re.search(rf"^a={name}:(\S.*)$", sdp, re.M) for name in ("fingerprint", "ice-ufrag")]
    return tuple(one[1].strip().lower() if one else "" for one in found)


def fits(one: Candidate, sdp: str) -> bool:
    """Whether a candidate is of a description's ICE generation (RFC 8839, 5.4)."""
    named = re.search(r" ufrag (\S+)", one.candidate)
    fragment = one.username_fragment or (named[1] if named else None)
    return fragment is None or f"a=ice-ufrag:{fragment}\r\n" in sdp
