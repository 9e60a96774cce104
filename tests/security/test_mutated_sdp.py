"""Mutated session descriptions and candidates, by the hundred thousand."""

import json
import time
from collections import Counter

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from call.bot import sdp
from call.protocol import CALL, Candidate, Description, Ice, Offer
from chat.protocol.codec import ProtocolError
from tests.support.messages.mutations import Mutator

CANDIDATES = [
    "candidate:842163049 1 udp 1677729535 192.0.2.7 46154 typ srflx raddr 10.0.0.1 rport 46154"
    " generation 0 ufrag EsAw network-cost 999",
    "candidate:1 1 tcp 1518280447 2001:db8::7 9 typ host tcptype active",
    "candidate:2 1 UDP 2122252543 8d2cf3a4-2b58-4d2c-a7a3-6c2a52d6d5aa.local 60000 typ host",
    "",
]
GIANTS = (" " * 40_000, "\t x" * 12_000, "a=" * 20_000, "\r\n" * 20_000, "9" * 5_000, "a=rtpmap:")
MOST_MS = 50
# Of ten, so many are candidates: they arrive by the dozen for each description.
CANDIDATES_OF_TEN = 8


async def descriptions() -> list[str]:
    """Return aiortc's offers, whole and in the shortest form."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.addTransceiver("audio")
    pc.addTransceiver("video")
    whole = (await pc.createOffer()).sdp
    await pc.close()
    lines = [line for line in whole.split("\r\n") if not line.startswith(("a=rtcp-fb", "a=extmap"))]
    return [whole, "\r\n".join(lines)]


def read(kind: str, text: str) -> str:
    """Parse a text as a description or as a candidate, and return the outcome."""
    body = (
        {"candidate": {"candidate": text, "sdpMid": text[:70], "usernameFragment": text[:9]}}
        if kind == "ice"
        else {"description": {"number": 1, "sdp": text}}
    )
    frame = json.dumps({"type": kind, "payload": {"to": "a" * 12, "session": "s", **body}})
    try:
        message, _ = CALL.decode(frame)
    except ProtocolError as error:
        return error.code
    try:
        match message:
            case Offer(description=Description(sdp=found)):
                sdp.identity_attributes(found)
                sdp.description(found, "offer")
            case Ice(candidate=Candidate() as found):
                sdp.fits(found, "a=ice-ufrag:EsAw\r\n")
                sdp.candidate(found)
    except sdp.BadSignal:
        return "bad signal"
    return "read"


def timed(kind: str, text: str) -> tuple[str, float]:
    """Return the outcome, and its processor time in milliseconds."""
    began = time.thread_time()
    try:
        end = read(kind, text)
    except Exception as error:
        end = f"uncaught {error!r:.300}"
    return end, (time.thread_time() - began) * 1000


@pytest.mark.target("S18")
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("count", [10_000, pytest.param(300_000, marks=pytest.mark.slow)])
async def test_mutated_sdp_is_read_or_refused_in_bounded_time(figure, count):
    offers = Mutator(await descriptions(), number=count, giants=GIANTS)
    candidates = Mutator(CANDIDATES, number=count, giants=GIANTS)
    ends: Counter[str] = Counter()
    longest = 0.0
    for n in range(count):
        kind = "ice" if n % 10 < CANDIDATES_OF_TEN else "offer"
        text = (candidates if kind == "ice" else offers).next()
        end, took = timed(kind, text)
        ends[end] += 1
        longest = max(longest, took)
    for giant in GIANTS:
        text = f"v=0\r\na=fingerprint:x{giant}x\r\na=ice-ufrag:x{giant}x"
        longest = max(longest, timed("offer", text[:48_000])[1])
    assert min(ends[end] for end in ("read", "bad signal", "bad_payload")) > 0
    uncaught = [end for end in ends if end.startswith("uncaught")]
    figure("uncaught", len(uncaught), limit=0)
    figure("the longest", longest, limit=MOST_MS, unit="ms")
