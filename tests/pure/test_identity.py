"""Tokens and relay credentials: what they prove, and to whom."""

import base64
import hashlib
import hmac
import time

import pytest

from call import ice
from chat import identity


def test_a_token_names_a_new_participant_each_time():
    tokens = [identity.mint(key="team", browser="b", room_name="Team") for _ in range(2)]
    first, second = (identity.read(token, key="team") for token in tokens)
    assert first.participant != second.participant
    assert (first.browser, first.room_name) == ("b", "Team")


def test_a_token_is_for_its_room_alone():
    token = identity.mint(key="team", browser="b", room_name="Team")
    with pytest.raises(identity.BadToken):
        identity.read(token, key="other")


def test_a_token_of_another_secret_is_refused(settings):
    token = identity.mint(key="team", browser="b", room_name="Team")
    settings.SECRET_KEY = "another"
    with pytest.raises(identity.BadToken):
        identity.read(token, key="team")


def test_a_changed_token_is_refused():
    token = identity.mint(key="team", browser="b", room_name="Team")
    for place in range(0, len(token), 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(identity.BadToken):
            identity.read(changed, key="team")


def test_no_ice_servers_are_named_unless_configured():
    assert ice.servers("abcdefghijkl") == []


def test_relay_credentials_end_and_are_signed_for_one_participant(settings):
    settings.TURN_URLS, settings.TURN_SECRET = ["turn:relay.example"], "shared"
    settings.ICE_SERVERS = [{"urls": ["stun:stun.example"]}]
    stun, turn = ice.servers("abcdefghijkl")
    assert stun.urls == ["stun:stun.example"]
    assert turn.username
    assert turn.credential
    until, participant = turn.username.split(":")
    assert participant == "abcdefghijkl"
    assert 0 < int(until) - time.time() <= settings.TURN_TTL_S + 1
    digest = hmac.new(b"shared", turn.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(turn.credential) == digest
