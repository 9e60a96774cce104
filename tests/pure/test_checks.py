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


def test_a_good_configuration_passes(configured):
    assert found() == set()


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"SECRET_KEY": "no-secret-key"}, "noom.E001"),
        ({"SECRET_KEY": "short"}, "noom.E001"),
        ({"ALLOWED_HOSTS": []}, "noom.E002"),
        ({"ALLOWED_HOSTS": ["*"]}, "noom.E002"),
        ({"PROCESSES": 2}, "noom.E003"),
        ({"REDIS_URLS": ["redis://redis.example:6379"]}, "noom.E006"),
        ({"REDIS_URLS": ["redis://127.0.0.1", "redis://10.0.0.2"]}, "noom.E006"),
        ({"REDIS_URLS": ["redis+sentinel://127.0.0.1,10.0.0.2/noom"]}, "noom.E006"),
        ({"LEASE_S": 5.0, "RENEW_S": 5.0}, "noom.E004"),
        ({"ROOM_CAPACITY": 0}, "noom.E005"),
        ({"RETENTION_DAYS": -1}, "noom.E005"),
        ({"DATABASE_TIMEOUT_S": 0.0}, "noom.E005"),
        ({"RATE_LIMITS": False}, "noom.W001"),
        ({"METRICS_TOKEN": "short"}, "noom.E020"),
        ({"LOG_FORMAT": "xml"}, "noom.E021"),
        ({"TURN_URLS": ["turn:a.example"]}, "noom.E010"),
        ({"TURN_SECRET": "s"}, "noom.E010"),
        ({"ICE_SERVERS": [{"url": "stun:a.example"}]}, "noom.E011"),
        ({"ICE_SERVERS": {"urls": []}}, "noom.E011"),
        ({"ICE_SERVERS": [{"urls": ["http://a.example"]}]}, "noom.E011"),
        ({"CALL_CAPACITY": 1}, "noom.E012"),
        ({"ICE_RELAY_ONLY": True}, "noom.E013"),
        ({"CALL_CAPACITY": 100}, "noom.E012"),
        ({"SECURE_SSL_REDIRECT": True}, "noom.E030"),
        ({"CSRF_TRUSTED_ORIGINS": ["https://meet.example/"]}, "noom.E031"),
        ({"CSRF_TRUSTED_ORIGINS": ["https://Meet.example"]}, "noom.E031"),
        ({"TURN_TTL_S": 29}, "noom.E014"),
        ({"TURN_TTL_S": 12 * 3600}, "noom.E014"),
    ],
)
def test_what_cannot_work_is_refused(configured, changes, number):
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
def test_a_redis_that_nobody_else_reaches_passes(configured, url):
    configured.REDIS_URLS = [url]
    assert found() == set()
