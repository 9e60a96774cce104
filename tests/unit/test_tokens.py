"""Tokens and relay credentials: what they prove, and to which room."""

import base64
import hashlib
import hmac
import time

import pytest

from call import ice_servers
from chat import tokens as identity


def test_token_names_a_new_participant_each_time():
    tokens = [identity.issue(key="team", browser="b", room_name="Team") for _ in range(2)]
    first, second = (identity.verify(token, key="team") for token in tokens)
    assert first.participant != second.participant
    assert (first.browser, first.room_name) == ("b", "Team")


def test_token_is_valid_for_its_room_only():
    token = identity.issue(key="team", browser="b", room_name="Team")
    with pytest.raises(identity.BadToken):
        identity.verify(token, key="other")


def test_token_of_another_secret_is_refused(settings):
    token = identity.issue(key="team", browser="b", room_name="Team")
    settings.SECRET_KEY = "another"
    with pytest.raises(identity.BadToken):
        identity.verify(token, key="team")


def test_changed_token_is_refused():
    token = identity.issue(key="team", browser="b", room_name="Team")
    for place in range(0, len(token), 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(identity.BadToken):
            identity.verify(changed, key="team")


def test_ice_servers_are_empty_by_default():
    assert ice_servers.servers("abcdefghijkl") == []
    assert ice_servers.renewal_s() is None


def test_relay_credentials_end_and_are_signed_for_one_name(settings):
    settings.TURN_URLS, settings.TURN_SECRET = ["turn:relay.example"], "shared"
    settings.ICE_SERVERS = [{"urls": ["stun:stun.example"]}]
    stun, turn = ice_servers.servers("abcdefghijkl")
    assert stun.urls == ["stun:stun.example"]
    assert turn.username
    assert turn.credential
    until, name = turn.username.split(":")
    assert name == "abcdefghijkl"
    assert 0 < int(until) - time.time() <= settings.TURN_TTL_S + 1
    digest = hmac.new(b"shared", turn.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(turn.credential) == digest


def test_relay_names_of_an_address_are_few_and_stable_per_browser():
    names = ice_servers.RelayNames()
    first = [names.name(browser=f"b{n}", address="192.0.2.1") for n in range(8)]
    assert len(set(first)) == ice_servers.NAMES_PER_ADDRESS == 8
    assert first == [names.name(browser=f"b{n}", address="192.0.2.1") for n in range(8)]
    more = {names.name(browser=f"c{n}", address="192.0.2.1") for n in range(100)}
    assert more == set(first)
    assert "192.0.2.1" not in first[0]


def test_relay_names_of_addresses_differ_unless_one_home_has_them():
    names = ice_servers.RelayNames()
    told = [
        names.name(browser="b", address=address)
        for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    ]
    assert len(set(told)) == 4
    assert told[2] == told[3]


def test_relay_names_evict_the_least_recent_address(monkeypatch):
    monkeypatch.setattr(ice_servers, "MAX_KNOWN", 2)
    names = ice_servers.RelayNames()
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        names.name(browser="a", address=address)
    # Remembered, it would have another name than the one who holds the first.
    assert names.name(browser="b", address="192.0.2.1").endswith("-0")
    assert names.name(browser="b", address="192.0.2.3").endswith("-1")
