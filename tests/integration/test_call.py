"""The call of a room, as its sockets show it."""

import asyncio

import pytest
from django.conf import settings

from call import ice_failures
from chat import runtime, tokens
from chat.errors import Unavailable
from chat.presence import roster
from chat.protocol import close_codes
from chat.realtime.rate_limits import TokenBuckets
from chat.services import rooms
from chat.stats import counts
from tests.support.clients.protocol_client import ALL_ON, Refusal

DESCRIPTION = {"number": 1, "sdp": "v=0"}
CANDIDATE = {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0"}


@pytest.fixture
def pair(enter, join):
    """Two who are in a room and in its call: their chat sockets, then their call sockets."""

    async def pair():
        nova, mira = await enter("Nova"), await enter("Mira")
        return nova, mira, await join(nova, "nova-1"), await join(mira, "mira-1")

    return pair


async def test_join_returns_the_callers_and_publishes_the_newcomer(pair):
    nova, mira, nova_call, mira_call = await pair()
    assert [p["id"] for p in mira_call.hello["people"]] == [nova.id, mira.id]
    assert mira_call.hello["topology"] == "mesh"
    assert mira_call.hello["timing"]["lease_s"] == settings.PRESENCE_LEASE_S
    welcome = await nova_call.event("welcome", count=2)
    assert welcome["person"]["session"] == "mira-1"
    assert welcome["person"]["media"] == ALL_ON


async def test_room_shows_who_is_in_the_call(pair):
    nova, _mira, _, mira_call = await pair()
    people = (await nova.request("people"))["people"]
    assert [p["in_call"] for p in people] == [True, True]
    await mira_call.request("leave_room")
    people = (await nova.request("people"))["people"]
    assert [p["in_call"] for p in people] == [True, False]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("offer", {"description": DESCRIPTION}),
        ("answer", {"description": DESCRIPTION}),
        ("ice", {"candidate": None}),
    ],
)
async def test_signal_reaches_its_addressee(pair, enter, join, kind, body):
    nova, mira, nova_call, mira_call = await pair()
    third = await join(await enter("Third"), "third-1")
    await mira_call.request(kind, to=nova.id, session="nova-1", **body)
    assert await nova_call.event(kind) == {"from": mira.id, "session": "mira-1", **body}
    await third.expect_none(kind)


async def test_candidate_crosses_whole(pair):
    nova, _, nova_call, mira_call = await pair()
    await mira_call.request("ice", to=nova.id, session="nova-1", candidate=CANDIDATE)
    candidate = (await nova_call.event("ice"))["candidate"]
    assert candidate == CANDIDATE | {"sdpMLineIndex": None, "usernameFragment": None}


async def test_signal_for_a_session_that_is_over_is_dropped(pair):
    nova, _, nova_call, mira_call = await pair()
    await mira_call.request("offer", to=nova.id, session="nova-0", description=DESCRIPTION)
    await nova_call.expect_none("offer")


async def test_signals_ask_presence_nothing(pair, monkeypatch):
    nova, _, nova_call, mira_call = await pair()

    async def away(place):
        raise Unavailable(place)

    monkeypatch.setattr(runtime.current().presence, "read", away)
    for number in range(3):
        await mira_call.request(
            "offer", to=nova.id, session="nova-1", description=DESCRIPTION | {"number": number}
        )
        assert (await nova_call.event("offer"))["description"]["number"] == number


async def test_signal_does_not_reach_another_room(pair, enter, join):
    nova, _, nova_call, _ = await pair()
    stranger = await join(await enter("Stranger", "elsewhere"), "nova-1")
    await stranger.request("offer", to=nova.id, session="nova-1", description=DESCRIPTION)
    await nova_call.expect_none("offer")


async def test_media_changes_are_published(pair):
    _nova, mira, nova_call, mira_call = await pair()
    await mira_call.request("media", audio=False, video=True, screen=False)
    told = await nova_call.event("media")
    assert told["person"]["id"] == mira.id
    assert told["person"]["media"] == {"audio": False, "video": True, "screen": False}


async def test_ice_failure_is_counted_and_logged_within_a_bound(pair, monkeypatch, caplog):
    stands = TokenBuckets(
        lambda: ice_failures.TOLD_PER_S, lambda: 0.0, burst_s=ice_failures.TOLD_BURST_S
    )
    monkeypatch.setattr(ice_failures, "told", stands)
    _, _, nova_call, _ = await pair()
    before = counts.ice_failures["no_relay"]
    for _ in range(9):
        await nova_call.request("ice_failed", failure="no_relay")
    most = int(ice_failures.TOLD_PER_S * ice_failures.TOLD_BURST_S)
    assert counts.ice_failures["no_relay"] - before == most
    lines = [r for r in caplog.records if r.name == "call.ice_failures"]
    assert len(lines) == most
    assert lines[0].getMessage() == "no way between two callers: no_relay"


async def test_full_call_refuses_a_caller_who_keeps_the_chat(pair, enter, join, settings):
    settings.CALL_CAPACITY = 2
    nova, *_ = await pair()
    late = await enter("Late")
    with pytest.raises(Refusal, match="call_full"):
        await join(late)
    await late.post("I can still write")
    assert (await nova.event("new_message"))["nickname"] == "Late"


async def test_reload_rejoins_as_the_same_participant_in_a_new_session(pair, join):
    nova, mira, nova_call, mira_call = await pair()
    await mira_call.close(1001)
    again = await join(mira, "mira-2")
    assert [p["id"] for p in again.hello["people"]] == [nova.id, mira.id]
    told = await nova_call.event("person")
    while told["person"]["session"] != "mira-2":
        told = await nova_call.event("person")
    assert told["person"]["here"] is True
    await nova_call.expect_none("bye")


async def test_signalling_reconnect_keeps_the_session_and_its_place_in_time(pair, join):
    _, mira, _, mira_call = await pair()
    before = mira_call.hello["people"]
    await mira_call.close(1006)
    again = await join(mira, "mira-1")
    assert again.hello["people"] == before


async def test_crashed_caller_leaves_after_the_lease(pair, settings):
    settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S, settings.RECONNECT_GRACE_S = (
        0.1,
        5.0,
        0.2,
    )
    nova, mira, nova_call, mira_call = await pair()
    await mira_call.close(1006)
    assert (await nova_call.event("bye"))["person"]["id"] == mira.id
    gone = await nova.event("person")
    while gone["person"]["id"] != mira.id or gone["person"]["in_call"]:
        gone = await nova.event("person")


async def test_leaving_the_room_leaves_the_call(pair):
    _, mira, nova_call, mira_call = await pair()
    await mira.request("leave_room")
    assert (await nova_call.event("bye"))["person"]["id"] == mira.id
    assert await mira_call.closing() == close_codes.NORMAL


async def test_call_is_for_those_in_the_room(connect):
    outsider = await connect("/ws/call/room/")
    # Its patience is for those who are coming in.
    with pytest.raises(Refusal, match="not_in_room"):
        await outsider.request("join_room", **outsider.joining("one"))


async def test_join_waits_for_an_entry_in_progress(connect, monkeypatch):
    monkeypatch.setattr(roster, "POLL_INTERVAL_S", 60.0)  # so it is told, or waits in vain
    nova = await connect("/ws/chat/room/")
    call = await connect("/ws/call/room/", token=nova.token)
    joining = asyncio.create_task(call.request("join_room", **call.joining("nova-1")))
    await asyncio.sleep(0.05)
    assert not joining.done(), "nobody has entered yet"
    await nova.request("enter_room", token=nova.token, nickname="Nova")
    assert (await joining)["you"] == nova.id


async def test_join_waits_for_an_entry_at_another_process(connect):
    here = runtime.current()
    elsewhere = roster.Roster(rooms.PEOPLE, here.hub, here.presence)
    nova = await connect("/ws/chat/room/")
    found = asyncio.create_task(elsewhere.await_member("room", nova.id, timeout_s=5))
    await asyncio.sleep(0.05)
    assert not found.done(), "nobody has entered yet"
    await nova.request("enter_room", token=nova.token, nickname="Nova")
    member = await found
    assert member
    assert member.id == nova.id


async def test_token_of_another_room_opens_no_call(connect, enter):
    await enter("Nova")
    foreign = tokens.issue(key="elsewhere", browser="b", room_name="Elsewhere")
    client = await connect("/ws/call/room/")
    with pytest.raises(Refusal, match="bad_token"):
        await client.request("join_room", token=foreign, session="s", media=ALL_ON)
    assert await client.closing() == close_codes.BAD_TOKEN


async def test_call_socket_receives_new_credentials_in_time(enter, join, settings):
    settings.TURN_URLS, settings.TURN_SECRET = ["turn:relay.example:3478"], "secret"
    settings.TURN_TTL_S = 3
    call = await join(await enter("Nova"))
    (first,) = call.hello["ice_servers"]
    for _ in range(2):
        (renewed,) = (await call.event("ice_servers"))["ice_servers"]
        assert renewed["username"] > first["username"]
        assert renewed["username"].partition(":")[2] == first["username"].partition(":")[2]


async def test_relay_only_call_publishes_relay_candidates_only(enter, join, settings):
    settings.ICE_RELAY_ONLY = True
    settings.ICE_SERVERS = [{"urls": ["stun:stranger.example"]}]
    settings.TURN_URLS, settings.TURN_SECRET = ["turn:relay.example:3478"], "secret"
    nova, mira = await join(await enter("Nova")), await join(await enter("Mira"))
    assert nova.hello["relay_only"]
    assert [server["urls"] for server in nova.hello["ice_servers"]] == [settings.TURN_URLS]
    to_mira = {"to": mira.id, "session": "one"}
    for kind in ("host", "relay"):
        candidate = f"candidate:1 1 udp 1 192.0.2.7 9 typ {kind} raddr 10.0.0.7 rport 9"
        await nova.request("ice", **to_mira, candidate={"candidate": candidate, "sdpMid": "0"})
    told = (await mira.event("ice"))["candidate"]["candidate"]
    assert "typ relay raddr 0.0.0.0 rport 0" in told
    sdp = f"v=0\r\nc=IN IP4 10.0.0.7\r\na={candidate.replace('relay', 'host')}\r\n"
    await nova.request("offer", **to_mira, description={"number": 1, "sdp": sdp})
    offer = (await mira.event("offer"))["description"]
    assert offer == {"number": 1, "sdp": "v=0\r\nc=IN IP4 0.0.0.0\r\n"}


async def test_many_join_at_once_and_no_more_get_in_than_fit(enter, join, settings):
    settings.CALL_CAPACITY = 3
    people = [await enter(f"Person {n}") for n in range(6)]
    results = await asyncio.gather(*(join(p) for p in people), return_exceptions=True)
    assert sum(isinstance(result, Refusal) for result in results) == 3
