"""Signals where calls go by the relay alone."""

import pytest

from call.protocol import Answer, Candidate, Description, Ice, Offer
from call.relay_filter import NOWHERE, clean

ME = "abcdefghijkl"
RELAYED = "candidate:1 1 udp 41885439 203.0.113.9 50000 typ relay raddr %s rport 61000 ufrag x"
HOST = "candidate:1 1 udp 2122260223 192.168.1.7 50000 typ host generation 0"
SDP = "\r\n".join(
    [
        "v=0",
        "o=- 42 2 IN IP4 10.0.0.7",
        "c=IN IP6 fd00::7",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 192.168.1.7",
        "a=rtcp:9 IN IP4 192.168.1.7",
        f"a={HOST}",
        "a=candidate:2 1 tcp 15 4f9a.local 9 typ host tcptype active",
        "a=candidate:3 1 udp 16 198.51.100.7 50001 typ srflx raddr 192.168.1.7 rport 50000",
        f"a={RELAYED % '198.51.100.7'}",
        "a=remote-candidates:1 192.168.1.7 50000",
        " A=candidate:9 1 udp 1 192.168.1.7 1 TYP HOST",
        "a=ice-ufrag:x",
        "",
    ]
)


def ice(text: str) -> Ice:
    return Ice(to=ME, session="s", candidate=Candidate(text, sdp_mid="0"))


@pytest.mark.parametrize("kind", [Offer, Answer])
def test_description_names_only_the_relay(kind: type[Offer] | type[Answer]):
    cleaned = clean(kind(to=ME, session="s", description=Description(7, SDP)))
    assert isinstance(cleaned, kind)
    assert cleaned.description.number == 7
    assert cleaned.description.sdp.split("\r\n") == [
        "v=0",
        "o=- 42 2 IN IP4 0.0.0.0",
        "c=IN IP6 ::",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a={RELAYED % NOWHERE['4']}".replace("61000", "0"),
        "a=ice-ufrag:x",
        "",
    ]


@pytest.mark.parametrize(
    "text",
    [
        HOST,
        HOST.replace("typ host", "typ srflx raddr 10.0.0.1 rport 9"),
        HOST.replace("typ host", "typ prflx"),
        HOST.replace("typ host", "typ relayed"),
        "candidate:relay",
        "typ relay".replace(" ", "-"),
    ],
)
def test_every_other_candidate_is_dropped(text):
    assert clean(ice(text)) is None


@pytest.mark.parametrize(
    ("seen_at", "told"), [("198.51.100.7", NOWHERE["4"]), ("2001:db8::7", NOWHERE["6"])]
)
def test_relayed_candidate_hides_its_senders_address(seen_at, told):
    told_candidate = (RELAYED % told).replace("61000", "0")
    assert clean(ice(RELAYED % seen_at)) == ice(told_candidate)


@pytest.mark.parametrize("end", [None, Candidate("", sdp_mid="0")])
def test_end_of_candidates_passes_the_filter(end):
    message = Ice(to=ME, session="s", candidate=end)
    assert clean(message) == message
