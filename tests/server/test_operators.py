"""What load balancers and monitors are told of a process."""

import asyncio
import json
import time
from threading import Event

import pytest
from channels.testing import HttpCommunicator
from django.db import OperationalError

from chat import journal, limits, runtime
from noom_project import health
from noom_project.asgi import application


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(health, "CHECK_S", 0.3)
    monkeypatch.setattr(health, "REUSE_S", 0.0)


@pytest.fixture
def heads(monkeypatch):
    """`heads(function)`: the database answers so."""
    return lambda function: monkeypatch.setattr(journal, "heads", function)


async def ask(path, method="GET"):
    """The status, the headers and the body of an answer."""
    one = HttpCommunicator(application, method, path, headers=[(b"host", b"10.0.0.1:8001")])
    answer = await one.get_response(timeout=5)
    headers = {name.decode(): value.decode() for name, value in answer["headers"]}
    return answer["status"], headers, answer["body"].decode()


async def ready():
    """The status, and the state of each check."""
    status, _, body = await ask("/readyz")
    return status, {name: check["state"] for name, check in json.loads(body)["checks"].items()}


async def test_all_is_well(settings):
    status, states = await ready()
    assert status == 200
    assert set(states) == {"database", "layer", "loop", *(["redis"] if settings.REDIS_URLS else [])}
    assert set(states.values()) == {"ok"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_they_answer_under_any_name_and_are_neither_redirected_nor_kept(path, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["meet.example.org"], True
    status, headers, body = await ask(path)
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert await ask(path, "HEAD") == (200, headers | {"content-length": str(len(body))}, "")
    status, headers, _ = await ask(path, "POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


async def test_a_database_that_fails_is_told_without_its_words(heads, caplog):
    def fail(keys):
        raise OperationalError("no user noom at 10.0.0.9")

    heads(fail)
    status, _, body = await ask("/readyz")
    assert status == 503
    assert json.loads(body)["checks"]["database"]["state"] == "failed"
    assert "10.0.0.9" not in body
    assert "10.0.0.9" in caplog.text
    heads(lambda keys: {})
    assert (await ready())[0] == 200
    assert "ready again" in caplog.text


async def test_a_database_that_hangs_holds_up_nobody(heads):
    released = Event()
    heads(lambda keys: released.wait(5))
    start = time.monotonic()
    for _ in range(3):
        status, states = await ready()
        assert (status, states["database"]) == (503, "late")
        assert (await ask("/healthz"))[0] == 200
    assert time.monotonic() - start < 2
    released.set()
    assert (await ready())[0] == 200


async def test_a_process_that_has_gone_deaf_is_not_ready(monkeypatch):
    assert (await ready())[0] == 200

    async def lose(group, message):
        pass

    monkeypatch.setattr(runtime.current().hub._layer, "group_send", lose)
    status, states = await ready()
    assert (status, states["layer"]) == (503, "late")


async def test_a_loop_that_stands_still_is_told(monkeypatch):
    monkeypatch.setattr(health, "MAX_LAG_S", 0.2)
    assert (await ready())[0] == 200
    await asyncio.sleep(0.15)
    time.sleep(0.5)  # noqa: ASYNC251 - what the check is for
    await asyncio.sleep(0.01)
    status, states = await ready()
    assert (status, states["loop"]) == (503, "late")


async def test_who_drains_is_alive_and_not_ready(monkeypatch):
    monkeypatch.setattr(health, "_draining", Event())
    assert (await ready())[0] == 200
    health.drain()
    status, _, body = await ask("/readyz")
    assert (status, json.loads(body)["draining"]) == (503, True)
    assert (await ask("/healthz"))[0] == 200


async def test_many_who_ask_cost_one_check_and_count_against_no_limit(heads, monkeypatch):
    monkeypatch.setattr(health, "REUSE_S", 0.5)
    asked: list[list[str]] = []
    before = limits.addresses.known
    heads(asked.append)
    for _ in range(20):
        answers = await asyncio.gather(*(ready() for _ in range(50)))
        assert {status for status, _ in answers} == {200}
    assert len(asked) <= 3
    assert limits.addresses.known == before
