"""Addresses of Redis: by itself, by Sentinel, with a login, with TLS."""

import pytest

from chat.realtime import redis_client
from chat.realtime.redis_client import hosts, shown, split, watched

THREE = "redis+sentinel://noom:s%40cret@a.example:26380,b.example,[::1]:26381/noom/2"


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", []),
        ("redis://a", ["redis://a"]),
        ("redis://a, rediss://b:1/2", ["redis://a", "rediss://b:1/2"]),
        (THREE, [THREE]),
        (f"redis://a,{THREE},unix:///run/b", ["redis://a", THREE, "unix:///run/b"]),
    ],
)
def test_commas_part_servers_and_sentinels(text, urls):
    assert split(text) == urls


def test_address_of_sentinels_is_read():
    found = watched(THREE + "?sentinel_password=other&health_check_interval=3")
    assert found is not None
    assert found.service == "noom"
    assert found.sentinels == [("a.example", 26_380), ("b.example", 26_379), ("::1", 26_381)]
    master = {"username": "noom", "password": "s@cret", "db": 2, "health_check_interval": 3}
    assert found.of_master == master
    assert found.of_sentinels["password"] == "other"
    assert "cret" not in shown(THREE)


def test_tls_is_for_the_sentinels_too():
    found = watched("rediss+sentinel://a/noom?ssl_ca_certs=/ca.pem")
    assert found is not None
    for options in (found.of_master, found.of_sentinels):
        assert (options["ssl"], options["ssl_ca_certs"]) == (True, "/ca.pem")


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://a:1",
        "redis+sentinel:///noom",
        "redis+sentinel://a:x/noom",
        "redis+sentinel://a,,b/noom",
        "redis+sentinel://a/noom/db",
        "http+sentinel://a/noom",
    ],
)
def test_broken_address_of_sentinels_is_refused(url):
    with pytest.raises(ValueError, match=r"."):
        watched(url)


def test_other_addresses_lead_where_they_say():
    assert hosts("redis://u:p@a:1/2") == [("a", 1)]
    assert hosts("redis://") == [("localhost", 6379)]
    assert hosts("unix:///run/redis.sock") == []
    assert shown("unix://:p@/run/redis.sock") == "/run/redis.sock"
    assert watched("redis://a") is None


def test_each_client_library_gets_the_same_address():
    assert redis_client.layer_host("redis://a:1/2")["db"] == 2
    host = redis_client.layer_host(THREE, socket_timeout=15.0)
    assert (host["master_name"], host["db"], host["socket_timeout"]) == ("noom", 2, 15.0)
    assert "socket_keepalive_options" not in redis_client.layer_host("unix:///run/b")
