"""Refused frames, unnoticed by everybody else in the room."""

import asyncio
import json
import logging
from contextlib import AsyncExitStack

import pytest
from django.core import signing
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from call.consumers import CallConsumer
from call.protocol import CALL
from chat import consumers, runtime, tokens
from chat.protocol import close_codes
from chat.protocol.codec import CHAT, MAX_FRAME_BYTES
from chat.realtime.connection import open_connections
from chat.services import rooms
from chat.storage import journal
from tests.support.clients.protocol_client import Refusal
from tests.support.patience import PATIENCE

TYPES = [kind.type for socket in (CHAT, CALL) for kind in socket.accepts]
FORBIDDEN_ORIGINS = [
    None,
    b"null",
    b"http://localhost:8001",
    b"https://localhost:8000",
    b"http://localhost",
    b"http://localhost:8000.example",
    b"http://example/localhost:8000",
    b"http://localhost:8000@example",
    b"http://user@localhost:8000",
    b"http://sub.localhost:8000",
    b"http://xn--lcalhost-9za:8000",
    b"http://localhost:8000/",
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
field_names = st.sampled_from(
    ["to", "token", "nickname", "text", "client_id", "session", "media", "description", "on"]
)
frames = st.one_of(
    st.text(max_size=200),
    json_values.map(json.dumps),
    st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES) | st.text(max_size=20)},
        optional={
            "payload": st.dictionaries(field_names, json_values) | json_values,
            "ref": json_values,
            "extra": json_values,
        },
    ).map(json.dumps),
)


@pytest.fixture
def roomy(settings):
    """Rooms and calls that hold all that a test brings; those who left stay for their grace."""
    settings.ROOM_CAPACITY = settings.CALL_CAPACITY = 1_000


@pytest.mark.parametrize("origin", FORBIDDEN_ORIGINS)
async def test_page_of_another_origin_gets_no_socket(connect, origin):
    for path in ("/ws/lobby/", "/ws/chat/room/", "/ws/call/room/"):
        with pytest.raises(ConnectionRefusedError):
            await connect(path, origin=origin)


async def test_configured_origin_gets_a_socket(connect, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://meet.example"]
    assert await connect("/ws/lobby/", origin=b"https://meet.example")


async def test_unknown_socket_address_is_refused(connect):
    with pytest.raises(ConnectionRefusedError):
        await connect("/ws/elsewhere/")


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "no json",
        "[]",
        "null",
        '{"type": "enter_room"',
        '{"type": "shout", "payload": {}}',
        '{"type": "websocket.disconnect", "payload": {}}',
        '{"type": "new_message", "payload": {"text": NaN}}',
        '{"type": "typing", "payload": {"on": true, "from": "me"}}',
        '{"type": "typing", "payload": {"on": true}, "from": "me"}',
        '{"type": "typing", "payload": {"on": 1}}',
        '{"type": "new_message", "payload": ' + "[" * 5_000 + "]" * 5_000 + "}",
        '{"type": "typing", "payload": {"on": true}}' + " " * MAX_FRAME_BYTES,
    ],
)
async def test_protocol_error_closes_only_its_own_socket(enter, frame):
    nova, broken = await enter("Nova"), await enter("Broken")
    await broken.send_raw(frame)
    assert (await broken.event("error"))["message"]
    assert await broken.closing() == close_codes.BROKEN_CLIENT
    assert await nova.post("I noticed nothing")


async def test_binary_frames_are_refused(enter):
    nova = await enter("Nova")
    await nova.send_raw(binary=b"\x00\x01")
    assert await nova.closing() == close_codes.BROKEN_CLIENT


async def test_text_over_the_limit_is_not_stored(enter):
    nova = await enter("Nova")
    await nova.post("x" * 4_000)
    with pytest.raises(Refusal, match="bad_payload"):
        await nova.post("x" * 4_001)


@pytest.mark.parametrize("path", ["/ws/chat/room/", "/ws/call/room/"])
async def test_message_before_the_handshake_is_refused(connect, path):
    client = await connect(path)
    await client.send("leave_room")
    assert (await client.event("error"))["code"] == "bad_order"
    assert await client.closing() == close_codes.BROKEN_CLIENT


async def test_socket_without_a_first_message_is_closed(connect, monkeypatch):
    monkeypatch.setattr(consumers, "FIRST_MESSAGE_TIMEOUT_S", 0.05)
    client = await connect("/ws/chat/room/")
    assert await client.closing() == close_codes.BROKEN_CLIENT


async def test_entering_twice_on_one_socket_is_refused(enter):
    nova = await enter("Nova")
    with pytest.raises(Refusal, match="bad_order"):
        await nova.request("enter_room", token=nova.token, nickname="Nova")


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "eyJ:1:x"])
async def test_forged_token_is_refused(connect, token):
    client = await connect("/ws/chat/room/")
    with pytest.raises(Refusal, match="bad_token"):
        await client.request("enter_room", token=token, nickname="Nova")
    assert await client.closing() == close_codes.BAD_TOKEN


async def test_old_token_is_refused(connect, settings):
    client = await connect("/ws/chat/room/")
    settings.TOKEN_MAX_AGE_S = -1
    with pytest.raises(Refusal, match="bad_token"):
        await client.request("enter_room", token=client.token, nickname="Nova")


async def test_token_signed_for_another_purpose_is_refused(connect):
    client = await connect("/ws/chat/room/")
    forged = signing.dumps(["room", "abcdefghijkl", "b", "Room"], salt="other")
    with pytest.raises(Refusal, match="bad_token"):
        await client.request("enter_room", token=forged, nickname="Nova")


async def test_fast_client_is_refused_and_then_closed(enter, settings):
    settings.MESSAGES_PER_S = 1.0
    nova, flood = await enter("Nova"), await enter("Flood")
    with pytest.raises(Refusal, match="too_fast"):
        await asyncio.gather(*(flood.post(f"{n}") for n in range(10)))
    for _ in range(120):
        await flood.send("typing", on=True)
    assert await flood.closing() == close_codes.FLOODING
    assert await nova.request("people")


@pytest.mark.parametrize("path", ["/ws/lobby/", "/ws/chat/room/", "/ws/call/room/"])
async def test_address_limit_leaves_other_addresses_admitted(connect, settings, path):
    settings.SOCKETS_PER_ADDRESS = 3
    for _ in range(3):
        await connect(path)
    before = set(open_connections)
    refused = await connect(path)
    assert await refused.closing() == close_codes.FLOODING
    await refused.close()
    async with asyncio.timeout(10 * PATIENCE):
        while not open_connections <= before:  # nothing of it stays  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    other = await connect("/ws/lobby/", address="192.0.2.2")
    assert await other.event("room_change")


async def test_connection_closed_while_it_waits_does_not_enter(enter, connect):
    nova = await enter("Nova")
    door = runtime.current().entry_limit
    async with AsyncExitStack() as stack:
        for _ in range(runtime.MAX_CONCURRENT_ENTRIES):
            await stack.enter_async_context(door)
        before = set(open_connections)
        late = await connect("/ws/chat/room/", token=nova.token)
        asked = asyncio.create_task(late.request("enter_room", token=nova.token, nickname="Nova"))
        await asyncio.sleep(0.1)
        (line,) = open_connections - before
        line.close(close_codes.RESTARTING)
        assert await late.closing() == close_codes.RESTARTING
    with pytest.raises(ConnectionError):
        await asked
    await asyncio.sleep(0.2)
    assert nova.close_code is None, "the line of those who are in is not replaced"
    await nova.post("still here")


async def test_server_error_shows_only_a_reference(enter, monkeypatch, caplog):
    nova = await enter("Nova")
    secret = RuntimeError("the secret of the database")

    def fail(*args: object) -> None:
        raise secret

    monkeypatch.setattr(journal, "_store", fail)
    with caplog.at_level(logging.ERROR), pytest.raises(Refusal, match="server_error") as refusal:
        await nova.post("lost?")
    assert "secret" not in str(refusal.value)
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info[1] is secret
    assert record.reference == nova.id
    assert f"reference {nova.id}" in str(refusal.value)
    monkeypatch.undo()
    assert (await nova.post("no, it was not acknowledged"))["seq"] == 1


async def test_failed_entry_leaves_no_member(connect, enter, monkeypatch):
    nova = await enter("Nova")

    def fail(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(rooms, "_backlog", fail)
    client = await connect("/ws/chat/room/")
    with pytest.raises(Refusal, match="server_error"):
        await client.request("enter_room", token=client.token, nickname="Ghost")
    assert await client.closing() == close_codes.SERVER_ERROR
    assert len((await nova.request("people"))["people"]) == 1


@pytest.mark.parametrize("socket", ["chat", "call", "lobby"])
@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.lists(frames, min_size=1, max_size=4))
async def test_invalid_frames_do_not_affect_other_clients(
    enter, join, connect, roomy, socket, garbage
):
    bystander = await enter("Bystander", f"hall-{socket}")
    sender = await (connect("/ws/lobby/") if socket == "lobby" else enter("Sender", bystander.key))
    if socket == "call":
        sender = await join(sender)
    for frame in garbage:
        await sender.send_raw(frame)
    assert (await bystander.post("fine"))["seq"]
    assert bystander.close_code is None
    await sender.close()
    await bystander.request("leave_room")


HOOKS = {"on_connect", "on_message", "on_disconnect"}  # of the connection, with no message's type


@pytest.mark.parametrize("consumer", [consumers.ChatConsumer, CallConsumer])
async def test_no_attribute_of_a_consumer_can_be_called(enter, join, roomy, consumer, monkeypatch):
    ran: list[str] = []
    for name in {name for name in dir(consumer) if name.startswith("on_")} - HOOKS:
        monkeypatch.setattr(consumer, name, noted(getattr(consumer, name), ran))
    nova = await enter("Nova")
    for n, name in enumerate(sorted(set(dir(consumer)) - set(TYPES))):
        client = await enter(f"Caller {n}")
        if consumer is CallConsumer:
            client = await join(client)
        await client.send_raw(json.dumps({"type": name, "payload": {}}))
        assert (await client.event("error"))["code"] == "unknown_type"
        await client.closing()
        await client.close()
    assert set(ran) <= {"on_enter_room", "on_join_room"}
    await nova.post("still here")


def noted(handler, ran):
    """The handler, whose runs are noted by name."""

    async def run(self, message):
        ran.append(handler.__name__)
        return await handler(self, message)

    return run


async def test_entering_with_a_forged_identity_field_is_refused(connect):
    client = await connect("/ws/chat/room/")
    token = tokens.issue(key="room", browser="b", room_name="Room")
    with pytest.raises(Refusal, match="bad_payload"):
        await client.request("enter_room", token=token, nickname="Nova", id="abcdefghijkl")


async def test_page_closed_while_it_waits_does_not_enter(connect, enter):
    nova = await enter("Nova")
    await nova.event("welcome")
    client = await connect("/ws/chat/room/")
    async with AsyncExitStack() as stack:
        for _ in range(runtime.MAX_CONCURRENT_ENTRIES):
            await stack.enter_async_context(runtime.current().entry_limit)
        await client.send("enter_room", token=client.token, nickname="Brief")
        await asyncio.sleep(0.1)
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0.1)
    await closing
    await nova.post("after it")
    assert (await nova.any_event())["type"] == "new_message", "nobody came, and nobody went"
    assert len((await nova.request("people"))["people"]) == 1
