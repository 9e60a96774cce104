"""Each configuration that cannot work is refused by its number."""

import pytest
from django.core.checks import run_checks

GOOD = {
    "DEBUG": False,
    "SECRET_KEY": "k" * 50,
    "ALLOWED_HOSTS": ["meet.example"],
}


@pytest.fixture
def configured(settings):
    for name, value in GOOD.items():
        setattr(settings, name, value)
    return settings


def found() -> set[str]:
    return {check.id for check in run_checks() if check.id and check.id.startswith("noom.")}


def test_good_configuration_passes(configured):
    assert found() == set()


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"SECRET_KEY": "no-secret-key"}, "noom.E001"),
        ({"SECRET_KEY": "short"}, "noom.E001"),
        ({"SECRET_KEY_FALLBACKS": ["k" * 50, "short"]}, "noom.E005"),
        ({"ALLOWED_HOSTS": []}, "noom.E002"),
        ({"ALLOWED_HOSTS": ["*"]}, "noom.E002"),
        ({"PROCESSES": 2}, "noom.E003"),
        ({"REDIS_URLS": ["redis://redis.example:6379"]}, "noom.E006"),
        ({"REDIS_URLS": ["redis://127.0.0.1", "redis://10.0.0.2"]}, "noom.E006"),
        ({"REDIS_URLS": ["redis+sentinel://127.0.0.1,10.0.0.2/noom"]}, "noom.E006"),
        ({"PRESENCE_LEASE_S": 19.9, "HEARTBEAT_INTERVAL_S": 10.0}, "noom.E004"),
        ({"RELOAD_GRACE_S": 11.0}, "noom.E008"),
        ({"RECONNECT_GRACE_S": 15.1}, "noom.E008"),
        ({"TOKEN_MAX_AGE_S": 10}, "noom.E009"),
        ({"RATE_LIMITS": False}, "noom.W001"),
        ({"TURN_URLS": ["turn:a.example"]}, "noom.E010"),
        ({"TURN_SECRET": "s"}, "noom.E010"),
        ({"ICE_RELAY_ONLY": True}, "noom.E013"),
        ({"SECURE_SSL_REDIRECT": True}, "noom.E030"),
    ],
)
def test_impossible_configuration_is_refused(configured, changes, number):
    for name, value in changes.items():
        setattr(configured, name, value)
    assert found() == {number}


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://localhost",
        "unix:///run/redis/redis.sock",
        "redis://:secret@redis.example:6379",
        "rediss://noom:secret@redis.example",
        "redis+sentinel://:secret@10.0.0.1,10.0.0.2/noom",
        "redis+sentinel://127.0.0.1:1,127.0.0.1:2/noom",
    ],
)
def test_redis_on_this_machine_passes(configured, url):
    configured.REDIS_URLS = [url]
    assert found() == set()
