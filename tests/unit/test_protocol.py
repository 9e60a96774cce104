"""Frames in and out, and that what is written from the types is fresh."""

import json

import msgspec
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from call.protocol import CALL, Ice
from chat.protocol import codec
from chat.protocol import messages as m
from chat.protocol.codec import CHAT, MAX_FRAME_BYTES, ProtocolError
from chat.protocol.frames import frame_of
from noom_project.management.commands.write_protocol import files

SAY = '{"type":"new_message","payload":{"text":"%s","client_id":"%s"},"ref":7}'
UUID = "01234567-89ab-cdef-0123-456789abcdef"


def test_message_and_its_ref_are_read():
    message, ref = CHAT.decode(SAY % ("hi", UUID))
    assert message == m.NewMessage(text="hi", client_id=UUID)
    assert ref == 7


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"{}", "not_text"),
        (None, "not_text"),
        ("", "bad_frame"),
        ("é" * (MAX_FRAME_BYTES // 2 + 1), "too_large"),
        ('{"type":"new_message","payload":{},"extra":1}', "bad_frame"),
        ('{"type":"new_message","payload":{},"ref":-1}', "bad_frame"),
        ('{"type":"new_message","payload":{},"ref":1e999}', "bad_frame"),
        ('{"type":"offer","payload":{}}', "unknown_type"),
        ('{"type":"new_message","payload":{}}', "bad_payload"),
        ('{"type":"new_message","payload":' + "[" * 30_000 + "]" * 30_000 + "}", "bad_frame"),
        (SAY % ("hi", "not-a-uuid"), "bad_payload"),
        (SAY % ("x" * 4_001, UUID), "bad_payload"),
    ],
)
def test_invalid_message_is_refused_with_a_code(frame, code):
    with pytest.raises(ProtocolError) as refused:
        CHAT.decode(frame)
    assert refused.value.code == code


def test_refusal_names_the_message_it_refuses():
    with pytest.raises(ProtocolError) as refused:
        CHAT.decode('{"type":"new_message","payload":{},"ref":9}')
    assert refused.value.ref == 9


@given(st.text() | st.binary())
def test_garbage_raises_only_protocol_errors(frame):
    for socket in (CHAT, CALL):
        with pytest.raises(ProtocolError):
            socket.decode(frame)


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("a\\ud83d", "a"),
        ("\\uDC00b", "b"),
        ("\\ud83d\\ud83d\\ude00", "😀"),
        ("\\ude00\\ud83dx\\ud83dy", "xy"),
        ("\\\\ud83d \\n\\ud83d", "\\ud83d \n"),
        ("a\ud83d", "a"),
    ],
)
def test_half_an_emoji_is_left_out_of_a_message(escaped, text):
    message, _ = CHAT.decode(SAY % (escaped, UUID))
    assert message == m.NewMessage(text=text, client_id=UUID)


def test_candidate_is_spelled_as_browsers_spell_it():
    candidate = {"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "u"}
    payload = {"to": "abcdefghijkl", "session": "s", "candidate": candidate}
    message, _ = CALL.decode(json.dumps({"type": "ice", "payload": payload}))
    assert isinstance(message, Ice)
    assert json.loads(msgspec.json.encode(message.candidate)) == candidate


def test_events_gather_into_one_frame():
    beat = codec.event(m.BeatEvent(seq=1, version=2, ok=True, return_within_ms=1_000))
    payload = {"seq": 1, "version": 2, "ok": True, "return_within_ms": 1_000}
    single = {"type": "beat", "payload": payload}
    one, two = frame_of([beat]), frame_of([beat, beat])
    assert one is not None
    assert two is not None
    assert json.loads(one.text) == single
    assert json.loads(two.text) == [single, single]
    assert frame_of([]) is None


def test_answers_carry_the_ref():
    assert json.loads(codec.ack(3, m.EmptyAck())) == {"type": "ack", "ref": 3, "payload": {}}
    error = {"type": "error", "payload": {"code": "c", "message": 'm"'}}
    assert json.loads(codec.error(3, "c", 'm"')) == {"ref": 3} | error
    assert json.loads(codec.error(None, "c", 'm"')) == error


@pytest.mark.parametrize("socket", [CHAT, CALL])
def test_no_message_of_a_client_names_its_sender(socket):
    for kind in socket.accepts:
        fields = {field.encode_name for field in msgspec.structs.fields(kind)}
        assert not fields & {"from", "sender", "id", "seq", "host", "version"}, kind


@pytest.mark.parametrize("socket", [CHAT, CALL])
def test_every_type_is_on_a_socket_once(socket):
    for kinds in (list(socket.accepts), list(socket.sends)):
        types = [kind.type for kind in kinds]
        assert len(types) == len(set(types))


def test_generated_files_are_fresh():
    for path, text in files().items():
        assert (settings.BASE_DIR / path).read_text() == text, "run `manage.py write_protocol`"
