"""Removal of senders' addresses from signals, for calls over the relay. Pure."""

import re

import msgspec

from call.protocol import Answer, Description, Ice, Offer

NOWHERE = {"4": "0.0.0.0", "6": "::"}  # noqa: S104 - a description without an address
_RELAYED = re.compile(r"\styp\s+relay(\s|$)", re.IGNORECASE)
# The address of the sender as the relay saw it (RFC 8839, section 5.1).
_RELATED = re.compile(r"(?<=\s)raddr\s+(\S+)\s+rport\s+\d+", re.IGNORECASE)
_ADDRESS = re.compile(r"\bIN\s+IP([46])\s+\S+", re.IGNORECASE)
# `a=candidate` and `a=remote-candidates`, in any case and spacing.
_CANDIDATE_LINE = re.compile(r"\s*a\s*=\s*(remote-)?candidate", re.IGNORECASE)


def clean(signal: Offer | Answer | Ice) -> Offer | Answer | Ice | None:
    """A signal without addresses; None for a candidate without the relay."""
    if isinstance(signal, Ice):
        if signal.candidate is None or not signal.candidate.candidate:
            return signal  # the end of the candidates
        text = _relayed(signal.candidate.candidate)
        if text is None:
            return None
        candidate = msgspec.structs.replace(signal.candidate, candidate=text)
        return msgspec.structs.replace(signal, candidate=candidate)
    description = _description(signal.description)
    return msgspec.structs.replace(signal, description=description)


def _description(description: Description) -> Description:
    lines = (_line(line) for line in re.split(r"\r\n|\r|\n", description.sdp))
    sdp = "\r\n".join(line for line in lines if line is not None)
    return msgspec.structs.replace(description, sdp=sdp)


def _line(line: str) -> str | None:
    """A line of a description; None if nobody may receive it."""
    if _CANDIDATE_LINE.match(line):
        return _relayed(line)
    return _ADDRESS.sub(lambda found: f"IN IP{found[1]} {NOWHERE[found[1]]}", line)


def _relayed(candidate: str) -> str | None:
    if not _RELAYED.search(candidate):
        return None
    return _RELATED.sub(_unrelated, candidate)


def _unrelated(found: re.Match[str]) -> str:
    return f"raddr {NOWHERE['6' if ':' in found[1] else '4']} rport 0"
