"""Rates, and whose they are."""

from contextlib import ExitStack

import pytest

from chat.realtime.rate_limits import (
    BURST_S,
    MAX_CONSECUTIVE_REFUSALS,
    Addresses,
    TokenBucket,
    TokenBuckets,
    client_address,
    network,
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_bucket_takes_a_burst_and_then_its_rate():
    clock = Clock()
    bucket = TokenBucket(2.0, clock)
    assert sum(bucket.take() for _ in range(100)) == int(2 * BURST_S)
    clock.now = 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_bucket_reports_flooding_after_many_refusals():
    bucket = TokenBucket(0.2, Clock())
    bucket.take()
    assert not any(bucket.take() for _ in range(MAX_CONSECUTIVE_REFUSALS))
    assert bucket.is_flooding


def test_lifted_rates_refuse_nothing(settings):
    settings.RATE_LIMITS = False
    bucket = TokenBucket(0.2, Clock())
    assert all(bucket.take() for _ in range(1_000))


def test_closed_connection_is_returned_to_its_address(settings):
    settings.SOCKETS_PER_ADDRESS = 2
    addresses = Addresses()
    assert [addresses.connect("a") for _ in range(3)] == [True, True, False]
    assert addresses.connect("b")
    addresses.disconnect("a")
    assert addresses.connect("a")
    assert addresses.open_sockets == 3


def test_idle_addresses_are_forgotten(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(TokenBuckets, "MAX_KNOWN", 10)
    addresses = Addresses(clock)
    for n in range(100):
        clock.now = n * 60.0
        addresses.connect(f"{n}")
        addresses.disconnect(f"{n}")
    assert addresses.known <= 10


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, [], "10.0.0.9"),
        (0, ["1.2.3.4"], "10.0.0.9"),
        (1, ["1.2.3.4"], "1.2.3.4"),
        (1, ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        (1, ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        (2, ["6.6.6.6, 1.2.3.4, 5.6.7.8"], "1.2.3.4"),
        (2, ["5.6.7.8"], "10.0.0.9"),
        (1, [], "10.0.0.9"),
        (1, [" , "], "10.0.0.9"),
    ],
)
def test_client_address_is_the_one_the_trusted_proxies_saw(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    headers += [(b"x-real-ip", b"6.6.6.6"), (b"forwarded", b"for=6.6.6.6")]
    assert client_address({"client": ["10.0.0.9", 1], "headers": headers}) == address


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
    ],
)
def test_network_of_ipv6_counts_as_one_address(address, counted_as):
    assert network(address) == counted_as


def test_first_messages_of_an_address_are_limited(settings):
    settings.CONNECTIONS_PER_S = 1.0
    addresses = Addresses(Clock())
    allowed = int(addresses.FIRST_MESSAGES_PER_CONNECTION * BURST_S)
    assert [addresses.first_message("a") for _ in range(allowed + 1)] == [True] * allowed + [False]
    assert addresses.first_message("b")


def test_waiting_connections_of_an_address_are_limited():
    addresses = Addresses(Clock())
    with ExitStack() as stack:
        for _ in range(addresses.MAX_WAITING):
            assert stack.enter_context(addresses.waiting("a"))
        with addresses.waiting("a") as may_wait:
            assert not may_wait
        with addresses.waiting("b") as may_wait:
            assert may_wait
    with addresses.waiting("a") as may_wait:
        assert may_wait
