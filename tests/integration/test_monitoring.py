"""The endpoints of a process for load balancers and monitors."""

import asyncio
import json
import re
import time
from contextlib import contextmanager
from threading import Event

import pytest
from channels.testing import HttpCommunicator
from django.db import OperationalError
from prometheus_client.parser import text_string_to_metric_families

from chat import runtime
from chat.protocol import error_codes
from chat.protocol.codec import VERSION
from chat.realtime import rate_limits
from chat.stats import Counts, counts
from noom_project.asgi import application
from noom_project.monitoring import health, metrics, processes, revision
from tests.architecture.source_files import ROOT
from tests.support.patience import PATIENCE


@pytest.fixture(autouse=True)
def _unkept(monkeypatch):
    monkeypatch.setattr(health, "REUSE_S", 0.0)


@contextmanager
def impatient():
    """Meanwhile a check that takes longer than a moment is late."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(health, "CHECK_TIMEOUT_S", 0.3)
        yield


@pytest.fixture
def beat(monkeypatch):
    """`beat(function)`: the database answers so."""
    return lambda function: monkeypatch.setattr(processes, "beat", function)


async def ask(path, method="GET", *, client="192.0.2.1", host="10.0.0.1:8001", headers=()):
    """The status, the headers and the body of an answer."""
    sent = [(b"host", host.encode()), *headers]
    one = HttpCommunicator(application, method, path, headers=sent)
    one.scope["client"] = [client, 40_000]
    answer = await one.get_response(timeout=10 * PATIENCE)
    headers = {name.decode(): value.decode() for name, value in answer["headers"]}
    return answer["status"], headers, answer["body"].decode()


async def ready():
    """The status, and the state of each check."""
    status, _, body = await ask("/readyz")
    return status, {name: check["state"] for name, check in json.loads(body)["checks"].items()}


async def test_all_is_well(settings):
    status, states = await ready()
    assert status == 200
    here = {"database", "schema", "files", "neighbours", "layer", "loop"}
    assert set(states) == here | ({"redis"} if settings.REDIS_URLS else set())
    assert set(states.values()) == {"ok"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_endpoints_answer_under_any_host_without_redirect_or_cache(path, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["meet.example.org"], True
    status, headers, body = await ask(path)
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert int(headers["content-length"]) == len(body)
    head_status, head_headers, head_body = await ask(path, "HEAD")
    assert (head_status, head_headers.keys(), head_body) == (200, headers.keys(), "")
    status, headers, _ = await ask(path, "POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


async def test_failed_database_check_hides_the_error_text(beat, caplog):
    def fail():
        raise OperationalError("no user noom at 10.0.0.9")

    beat(fail)
    status, _, body = await ask("/readyz")
    assert status == 503
    assert json.loads(body)["checks"]["database"]["state"] == "failed"
    assert "10.0.0.9" not in body
    assert "10.0.0.9" in caplog.text
    beat(lambda: None)
    assert (await ready())[0] == 200
    assert "ready again" in caplog.text


async def test_hanging_database_blocks_no_other_request(beat):
    released = Event()
    beat(lambda: released.wait(60))
    with impatient():
        for _ in range(3):
            status, states = await ready()
            assert (status, states["database"]) == (503, "late")
            assert (await ask("/healthz"))[0] == 200
    assert not released.is_set(), "they were answered meanwhile"
    released.set()
    assert (await ready())[0] == 200


async def test_process_without_layer_delivery_is_not_ready(monkeypatch):
    assert (await ready())[0] == 200
    monkeypatch.setattr(runtime.current().hub._layer, "send_soon", lambda group, make: None)
    with impatient():
        status, states = await ready()
    assert (status, states["layer"]) == (503, "late")


async def test_blocked_event_loop_is_reported(monkeypatch):
    assert (await ready())[0] == 200
    monkeypatch.setattr(health, "MAX_LAG_S", 0.2)
    await asyncio.sleep(0.15)
    time.sleep(0.5)  # noqa: ASYNC251 - what the check is for
    await asyncio.sleep(0.01)
    status, states = await ready()
    assert (status, states["loop"]) == (503, "late")


async def test_draining_process_is_alive_and_not_ready(monkeypatch):
    monkeypatch.setattr(health, "_draining", Event())
    assert (await ready())[0] == 200
    health.drain()
    status, _, body = await ask("/readyz")
    assert (status, json.loads(body)["draining"]) == (503, True)
    assert (await ask("/healthz"))[0] == 200


async def test_concurrent_health_requests_share_one_check(beat, monkeypatch):
    monkeypatch.setattr(health, "REUSE_S", 600.0)
    asked: list[int] = []
    before = rate_limits.addresses.known
    beat(lambda: asked.append(1))
    for _ in range(20):
        answers = await asyncio.gather(*(ready() for _ in range(50)))
        assert {status for status, _ in answers} == {200}
    assert len(asked) == 1
    assert rate_limits.addresses.known == before


TOKEN = "t" * 32
BEARER = (b"authorization", b"Bearer " + TOKEN.encode())


async def scrape():
    """The numbers, each by its name and the values of its labels."""
    status, _, body = await ask("/metrics", client="127.0.0.1", host="127.0.0.1:8001")
    assert status == 200
    families = text_string_to_metric_families(body)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


async def test_metrics_count_events(enter, join, connect):
    before = await scrape()
    nova, mira = await enter("Nova"), await enter("Mira")
    await connect("/ws/lobby/")
    await join(mira)
    await nova.post("one")
    await mira.event("new_message")
    await mira.request("history", after=0)
    await nova.request("people")
    await nova.close(1006)
    back = await enter("Nova", token=nova.token)
    await back.send("nonsense")
    await back.closing()
    await back.close()
    after = await scrape()

    def more(*name):
        return after[name] - before.get(name, 0)

    assert after["noom_sockets", "chat", "websocket"] == 1
    assert after["noom_sockets", "call", "websocket"] == 1
    assert after["noom_sockets", "lobby", "websocket"] == 1
    assert (after["noom_places", "chat"], after["noom_participants", "call"]) == (1, 1)
    assert more("noom_messages_stored_total") == 1
    assert more("noom_deliveries_total") >= 4
    assert more("noom_resumes_total") == 1
    assert more("noom_repairs_total", "messages") == 1
    assert more("noom_repairs_total", "people") == 1
    assert more("noom_errors_total", "unknown_type") == 1
    assert more("noom_closes_total", "1006") == 1
    assert more("noom_closes_total", "4400") == 1
    assert after[("noom_backlog_bytes",)] == after[("noom_journal_waiting",)] == 0
    assert after["noom_database_tasks", "read"] == 0
    assert after[("noom_tasks",)] > 3  # one of each socket at least
    assert after[("process_resident_memory_bytes",)] > 1e6


async def test_every_series_exists_from_the_start(enter, join, monkeypatch):
    for name, value in vars(Counts()).items():
        monkeypatch.setattr(counts, name, value)
    before = await scrape()
    nova = await enter("Nova")
    await (await join(nova)).request("leave_room")
    await nova.post("one")
    await nova.request("people")
    await nova.send("nonsense")
    await nova.closing()
    after = await scrape()
    assert after.keys() == before.keys()
    counted = [key for key in before if key[0] in ("noom_joins_total", "noom_errors_total")]
    assert sum(before[key] for key in counted) == 0
    assert (after["noom_joins_total", "chat"], after["noom_joins_total", "call"]) == (1, 1)


async def test_every_code_of_an_error_has_a_series():
    source = "".join(
        path.read_text() for name in ("chat", "call") for path in (ROOT / name).rglob("*.py")
    )
    codes = set(re.findall(r'(?:Refused|ProtocolError)\(\s*"(\w+)"', source))
    codes |= set(re.findall(r'code(?:, message, close)? = "(\w+)"', source))
    assert len(codes) > 12
    assert codes - set(error_codes.ALL) == set()


async def test_metrics_hold_latency_disk_and_revision(settings):
    seen = await scrape()
    needed = ["database", "layer", "loop", *(["redis"] if settings.REDIS_URLS else [])]
    for check in needed:
        assert [seen["noom_check", check, state] for state in metrics.STATES] == [1, 0, 0]
        assert 0 <= seen["noom_check_seconds", check] < health.CHECK_TIMEOUT_S
    assert seen[("noom_database_bytes",)] > 10_000
    assert seen[("noom_disk_free_bytes",)] > 1_000_000
    (build,) = [key for key in seen if key[0] == "noom_build_info"]
    assert str(VERSION) in build
    assert re.fullmatch("[0-9a-f]{12}|unknown", revision.REVISION)


async def test_database_that_fails_is_a_number_and_no_error(beat):
    def fail():
        raise OperationalError

    beat(fail)
    seen = await scrape()
    assert [seen["noom_check", "database", state] for state in metrics.STATES] == [0, 0, 1]


async def test_loops_lag_is_a_histogram():
    assert (await ready())[0] == 200
    await asyncio.sleep(0.15)
    time.sleep(0.3)  # noqa: ASYNC251 - what it is to see
    name = "noom_loop_lag_seconds_bucket"
    async with asyncio.timeout(5 * PATIENCE):
        while (seen := await scrape())[name, "+Inf"] - seen[name, "0.1"] < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert seen[("noom_loop_lag_seconds_sum",)] > 0.1


async def test_codes_that_clients_invent_make_no_series(connect):
    before = await scrape()
    for code in (3000, 4999):
        lobby = await connect("/ws/lobby/")
        await lobby.close(code)
    name = "noom_closes_total"
    async with asyncio.timeout(5 * PATIENCE):
        while (seen := await scrape())[name, "other"] < before[name, "other"] + 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
    codes = {key[1] for key in seen if key[0] == name}
    assert not codes & {"3000", "4999"}


@pytest.mark.parametrize(
    ("client", "host", "headers"),
    [
        ("192.0.2.1", "127.0.0.1:8001", ()),
        ("192.0.2.1", "localhost", [(b"x-forwarded-for", b"127.0.0.1")]),
        ("127.0.0.1", "meet.example.org", ()),
        ("127.0.0.1", "127.0.0.1:8001", [(b"x-forwarded-for", b"127.0.0.1")]),
        ("127.0.0.1", "127.0.0.1:8001", [(b"x-real-ip", b"127.0.0.1")]),
        ("127.0.0.1", "127.0.0.1:8001", [(b"forwarded", b"for=127.0.0.1")]),
        ("127.0.0.1", "127.0.0.1:8001", [(b"via", b"1.1 proxy")]),
        ("127.0.0.1", "", ()),
        ("::ffff:192.0.2.1", "127.0.0.1:8001", ()),
        ("127.0.0.1", "127.0.0.1:8001", [BEARER, (b"x-forwarded-for", b"192.0.2.1")]),
    ],
)
async def test_metrics_are_refused_to_foreign_addresses_and_proxies(client, host, headers):
    status, _, body = await ask("/metrics", client=client, host=host, headers=headers)
    assert (status, body) == (403, "this machine only\n")


async def test_this_machine_reads_them():
    for client, host in (("127.0.0.1", "localhost:8001"), ("::1", "[::1]:8001")):
        assert (await ask("/metrics", client=client, host=host))[0] == 200


async def test_metrics_token_admits_any_address(settings):
    settings.METRICS_TOKEN = TOKEN
    for wrong in ([], [(b"authorization", b"Bearer x")], [BEARER, BEARER]):
        status, headers, _ = await ask("/metrics", client="127.0.0.1", headers=wrong)
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert (await ask("/metrics", headers=[BEARER, (b"x-forwarded-for", b"1.2.3.4")]))[0] == 200


async def test_every_metric_of_dashboard_and_alerts_exists():
    known = {key[0] for key in await scrape()}
    for path in ("grafana/noom.json", "prometheus/noom.rules.yml"):
        named = re.findall(r"\b(?:noom|process|python)_\w+", (ROOT / "deploy" / path).read_text())
        assert len(set(named)) > 7
        assert set(named) - known == set(), path


async def test_every_label_of_the_alerts_exists():
    rules = (ROOT / "deploy" / "prometheus" / "noom.rules.yml").read_text()
    known = {value for key in await scrape() for value in key[1:]}
    known |= {"redis", "noom"}  # where there is a Redis; what Prometheus calls us
    named = re.findall(r'\w+=~?"([^"]+)"', rules)
    assert len(named) > 4
    assert {value for pattern in named for value in pattern.split("|")} - known == set()
