"""The peculiarities of sockets over HTTP; all else holds for them as well (test_doors.py, …)."""

import asyncio
import json
import threading

import pytest
from django.core import signing

from chat.http_transport import registry
from chat.http_transport import session as fallback_session
from chat.http_transport.requests import MAX_BODY_BYTES
from chat.protocol import close_codes
from chat.realtime.connection import open_connections
from tests.support.clients.asgi_http_client import HttpClient
from tests.support.patience import PATIENCE

DATABASE_THREADS = 10  # at most, and no more for those who wait


@pytest.fixture(params=["stream", "poll"])
def enter_by_http(request, connect):
    """`await enter_by_http(nickname)`: somebody in the room whose socket goes by HTTP."""

    async def enter(nickname, key="room", **options):
        client = await connect(f"/ws/chat/{key}/", transport=request.param, **options)
        client.hello = await client.request("enter_room", token=client.token, nickname=nickname)
        return client

    return enter


def said(number):
    message = {"text": f"{number}", "client_id": f"00000000-0000-4000-8000-{number:012}"}
    return json.dumps({"type": "new_message", "payload": message}).encode()


async def texts(client, count):
    return [(await client.event("new_message"))["text"] for _ in range(count)]


async def test_both_transports_share_a_room(enter, enter_by_http):
    nova, mira = await enter("Nova", transport="websocket"), await enter_by_http("Mira")
    await mira.post("by HTTP")
    await nova.post("by WebSocket")
    for client in (nova, mira):
        assert await texts(client, 2) == ["by HTTP", "by WebSocket"]


async def test_open_connections_name_their_transport(enter, enter_by_http):
    await enter("Nova", transport="websocket")
    await enter_by_http("Mira")
    assert sorted(line.transport for line in open_connections) == ["http", "websocket"]


async def test_repeated_request_is_executed_once(enter, enter_by_http):
    nova, mira = await enter("Nova", transport="websocket"), await enter_by_http("Mira")
    number = mira.line.number
    assert await mira.line.post(mira.line.sending(number), said(1), said(2)) == 204
    assert await mira.line.post(mira.line.sending(number), said(1), said(2)) == 204
    # One whose answer got lost, with what was said since.
    assert await mira.line.post(mira.line.sending(number), said(1), said(2), said(3)) == 204
    assert await mira.line.post(mira.line.sending(number + 3), said(4)) == 204
    assert await texts(nova, 4) == ["1", "2", "3", "4"]
    await nova.expect_none("new_message")


async def test_skipped_number_closes_the_session(enter_by_http):
    mira = await enter_by_http("Mira")
    await mira.line.post(mira.line.sending(mira.line.number + 1), said(1))
    assert await mira.closing() == close_codes.BROKEN_CLIENT


@pytest.mark.parametrize("field", ["after", "turn"])
async def test_acknowledging_an_unsent_frame_closes_the_session(enter_by_http, field, monkeypatch):
    monkeypatch.setattr(fallback_session, "LONG_POLL_S", 0.1)
    mira = await enter_by_http("Mira")
    head = {**mira.line.listening(stream=False), field: 1_000_000}
    await mira.line.post(head)
    if field == "after":
        assert await mira.closing() == close_codes.BROKEN_CLIENT


async def test_session_keeps_frames_until_they_are_acknowledged(enter, connect):
    nova = await enter("Nova", transport="websocket")
    mira = await connect("/ws/chat/room/", transport="poll")
    await mira.request("enter_room", token=mira.token, nickname="Mira")
    await mira.line.fall_silent()  # and what it is told meanwhile gets lost on the way
    await nova.post("are you there?")
    for _ in range(2):
        lost = mira.line.listening(stream=False)
        answer = mira.exchange(json.dumps(lost).encode())
        assert await anext(answer) == 200
        await answer.aclose()
    mira.line.listen()
    assert await texts(mira, 1) == ["are you there?"]


@pytest.mark.parametrize(
    "forge",
    [
        lambda session: "",
        lambda session: session[:-1],
        lambda session: session.replace(":", ":x"),
        lambda session: signing.Signer(salt="other", sep=".").sign(session.rpartition(".")[0]),
        lambda session: signing.Signer(salt="noom.http", sep=".").sign("elsewhere:secret"),
    ],
)
async def test_forged_session_gets_410(enter_by_http, forge):
    mira = await enter_by_http("Mira")
    for head in (mira.line.sending(mira.line.number), mira.line.listening(stream=False)):
        head["session"] = forge(mira.line.session)
        assert await mira.line.post(head, said(1)) == 410
    assert await mira.post("the true one lives")


async def test_session_is_valid_for_its_own_address_only(enter_by_http):
    mira = await enter_by_http("Mira")
    for path in ("/ws/chat/other/", "/ws/call/room/", "/ws/lobby/"):
        elsewhere = HttpClient(path)
        request = json.dumps(mira.line.sending(mira.line.number)).encode() + b"\n" + said(1)
        assert [part async for part in elsewhere.exchange(request)] == [410]
    assert await mira.post("still here")


async def test_closed_session_gets_410(enter, enter_by_http, monkeypatch):
    monkeypatch.setattr(registry, "ENDED_SESSION_S", 0.0)
    monkeypatch.setattr(registry, "CHECK_INTERVAL_S", 0.01)
    nova, mira = await enter("Nova", transport="websocket"), await enter_by_http("Mira")
    await mira.line.close(close_codes.GOING_AWAY)
    assert (await nova.event("person"))["person"]["here"] is False
    async with asyncio.timeout(5 * PATIENCE):
        while registry.current()._held:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await mira.line.post(mira.line.sending(mira.line.number), said(1)) == 410
    await nova.expect_none("new_message")


async def test_frames_sent_before_the_close_are_processed(enter, enter_by_http):
    nova, mira = await enter("Nova", transport="websocket"), await enter_by_http("Mira")
    leaving = json.dumps({"type": "leave_room", "payload": {}}).encode()
    head = {"do": "close", "session": mira.line.session, "number": mira.line.number, "code": 1000}
    assert await mira.line.post(head, said(1), leaving) == 204
    assert await texts(nova, 1) == ["1"]
    assert await nova.event("bye", count=1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no json", 400),
        (b"[]", 400),
        (b'{"do": "open"}', 400),
        (b'{"do": "open", "stream": true, "token": "t"}', 400),
        (b'{"do": "shout"}', 400),
        (b'{"do": "send", "session": "", "number": -1, "after": 0}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 50_000, 400),
        (b" " * (MAX_BODY_BYTES + 1), 413),
    ],
)
async def test_malformed_request_is_refused(enter_by_http, body, status):
    mira = await enter_by_http("Mira")
    assert [part async for part in mira.exchange(body)] == [status]
    assert await mira.post("noticed nothing")


async def test_address_accepts_only_post(enter_by_http):
    mira = await enter_by_http("Mira")
    assert [part async for part in mira.exchange(b"", method="GET")] == [405]


async def test_unknown_address_gets_404(connect):
    with pytest.raises(ConnectionRefusedError, match="404"):
        await connect("/ws/elsewhere/", transport="stream")


async def test_each_request_is_checked_for_its_origin(enter_by_http):
    mira = await enter_by_http("Mira")
    mira._headers = [(b"host", b"localhost:8000"), (b"origin", b"http://localhost:8001")]
    assert await mira.line.post(mira.line.sending(mira.line.number), said(1)) == 403


async def test_session_without_polls_ends(enter, enter_by_http, monkeypatch):
    monkeypatch.setattr(fallback_session, "NO_POLL_TIMEOUT_S", 0.5)
    monkeypatch.setattr(registry, "CHECK_INTERVAL_S", 0.05)
    nova, mira = await enter("Nova", transport="websocket"), await enter_by_http("Mira")
    await asyncio.sleep(1)
    await mira.post("I listen")
    await mira.line.fall_silent()
    assert (await nova.event("person"))["person"]["here"] is False


async def test_unread_stream_ends_the_session(enter, connect, monkeypatch):
    monkeypatch.setattr(fallback_session, "SILENCE_TIMEOUT_S", 0.3)
    monkeypatch.setattr(fallback_session, "LONG_POLL_S", 0.05)
    nova = await enter("Nova", transport="websocket")
    mira = await connect("/ws/chat/room/", transport="stream")
    await mira.request("enter_room", token=mira.token, nickname="Mira")
    assert (await nova.event("person"))["person"]["here"] is False  # as a proxy might hold it


async def test_slow_reader_is_closed_with_a_bounded_buffer(enter, connect, monkeypatch):
    monkeypatch.setattr(fallback_session, "MAX_UNACKNOWLEDGED_BYTES", 20_000)
    nova = await enter("Nova", transport="websocket")
    mira = await connect("/ws/chat/room/", transport="poll")
    await mira.request("enter_room", token=mira.token, nickname="Mira")
    await mira.line.fall_silent()
    for _ in range(10):
        await nova.post("x" * 4_000)
    (held,) = registry.current()._held.values()
    for _ in range(10):  # an acknowledgement comes before the event
        await nova.event("new_message")
    assert sum(len(event) for _, event in held.session._unacknowledged) == 0
    mira.line.listen()
    assert await mira.closing() == close_codes.TOO_SLOW


async def test_too_frequent_requests_close_the_session(enter_by_http, monkeypatch):
    monkeypatch.setattr(fallback_session, "REQUESTS_PER_S", 1.0)
    mira = await enter_by_http("Mira")
    for _ in range(110):
        await mira.line.post(mira.line.sending(mira.line.number))
    assert await mira.closing() == close_codes.FLOODING


async def test_busy_stream_is_no_flood(enter, connect, settings, monkeypatch):
    settings.MESSAGES_PER_S = 1_000.0
    monkeypatch.setattr(fallback_session, "REQUESTS_PER_S", 0.2)
    nova = await enter("Nova", transport="websocket")
    mira = await connect("/ws/chat/room/", transport="stream")
    await mira.request("enter_room", token=mira.token, nickname="Mira")
    mira.line.stream = False  # says nothing from now on
    for n in range(120):
        await nova.send("nickname", nickname=f"Nova {n % 2}")
        await mira.event("nickname")
    assert mira.close_code is None


async def test_hundreds_of_waiting_polls_occupy_no_thread(connect):
    before = threading.active_count()
    for n in range(300):
        client = await connect("/ws/lobby/", transport="poll", address=f"192.0.2.{n % 250}")
        await client.event("room_change")
    assert threading.active_count() <= before + DATABASE_THREADS


async def test_address_with_too_many_sockets_gets_4429(connect, settings):
    settings.SOCKETS_PER_ADDRESS = 1
    await connect("/ws/lobby/", transport="stream")
    refused = await connect("/ws/lobby/", transport="stream")
    assert await refused.closing() == close_codes.FLOODING
