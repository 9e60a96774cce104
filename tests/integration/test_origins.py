"""The operator and the page learn of a handshake that a proxy or a setting has spoilt."""

import pytest
from channels.testing import HttpCommunicator
from django.test import RequestFactory
from prometheus_client.parser import text_string_to_metric_families

from chat.stats import counts
from noom_project.asgi import application
from noom_project.security import origin, refused_requests
from tests.support.patience import PATIENCE

ADVICE = {
    "port": "Host on with its port",
    "scheme": "X-Forwarded-Proto",
    "host": "ALLOWED_HOSTS",
    "foreign": "CSRF_TRUSTED_ORIGINS",
    "no_origin": "must not remove",
}


@pytest.fixture(autouse=True)
def _fresh_reporter(monkeypatch, settings):
    """Each test gets the first line of each reason."""
    for module in (origin, refused_requests):
        monkeypatch.setattr(module, "report", refused_requests.Reporter().report)
    settings.ALLOWED_HOSTS, settings.TRUSTED_PROXIES = ["meet.example"], 1


def headers_of(**values: str | None) -> list[tuple[bytes, bytes]]:
    named = {name.replace("_", "-").encode(): value for name, value in values.items()}
    return [(name, value.encode()) for name, value in named.items() if value is not None]


async def answer(path: str, method: str = "POST", client: str = "127.0.0.1", **sent: str | None):
    """The status and the headers of a request that came through a proxy."""
    came = {
        "host": "meet.example",
        "origin": "https://meet.example",
        "x_forwarded_proto": "https",
        "x_forwarded_for": "93.184.216.34",
        **sent,
    }
    one = HttpCommunicator(application, method, path, headers=headers_of(**came))
    one.scope["client"] = [client, 40_000]
    got = await one.get_response(timeout=5 * PATIENCE)
    await one.wait()
    return got["status"], dict(got["headers"])


async def metric(name: str, **labels: str) -> float:
    one = HttpCommunicator(application, "GET", "/metrics", headers=headers_of(host="127.0.0.1"))
    one.scope["client"] = ["127.0.0.1", 40_000]
    text = (await one.get_response(timeout=5 * PATIENCE))["body"].decode()
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    (value,) = [s.value for s in samples if s.name == name and s.labels == labels]
    return value


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        ("scheme", {"x_forwarded_proto": None}),
        ("scheme", {"x_forwarded_proto": "http"}),
        ("scheme", {"x_forwarded_proto": "https, http"}),
        ("scheme", {"origin": "http://meet.example"}),
        ("port", {"origin": "https://meet.example:8443"}),
        ("port", {"host": "meet.example:8001"}),
        ("port", {"origin": "https://meet.example:8443", "x_forwarded_proto": None}),
        ("host", {"host": "127.0.0.1:8001"}),
        ("host", {"host": "other.example", "origin": "https://other.example"}),
        ("foreign", {"origin": "https://evil.example"}),
        ("foreign", {"origin": "https://meet.example/"}),
        ("foreign", {"origin": "https://a@meet.example"}),
        ("foreign", {"origin": "null"}),
        ("no_origin", {"origin": None}),
    ],
)
async def test_refused_origin_is_logged_counted_and_answered(caplog, reason, sent):
    before = await metric("noom_refused_origins_total", reason=reason)
    status, headers = await answer("/http/lobby/", **sent)
    assert (status, headers[b"noom-refused"]) == (403, reason.encode())
    assert await metric("noom_refused_origins_total", reason=reason) == before + 1
    (line,) = [r.getMessage() for r in caplog.records if r.name == refused_requests.__name__]
    assert ADVICE[reason] in line
    seen = {"origin": "https://meet.example", "host": "meet.example", **sent}
    assert all(repr(seen[name]) in line for name in ("origin", "host") if seen[name])
    assert "scheme 'http" in line


async def test_without_trusted_proxies_the_advice_is_to_set_them(caplog, settings):
    settings.TRUSTED_PROXIES = 0
    await answer("/http/lobby/")
    assert "set TRUSTED_PROXIES to the number" in caplog.text


async def test_logged_origin_is_cleaned_and_cut(caplog):
    await answer("/http/lobby/", origin="https://x\r\n\x1b[2J" + "y" * 5_000)
    (line,) = [r.getMessage() for r in caplog.records if r.name == refused_requests.__name__]
    assert line.isprintable()
    assert len(line) < 600


def test_each_reason_is_logged_once_a_minute_with_a_count(caplog):
    now = [0.0]
    reporter = refused_requests.Reporter(clock=lambda: now[0])
    for _ in range(1_000):
        reporter.report(refused_requests.Fault("port", "seen", "Do this."))
    reporter.report(refused_requests.Fault("scheme", "seen", "Do that."))
    assert len(caplog.records) == 2
    now[0] = refused_requests.EVERY_S
    reporter.report(refused_requests.Fault("port", "seen", "Do this."))
    assert "999 more" in caplog.records[-1].getMessage()


async def test_handshake_that_lost_its_upgrade_is_reported(caplog):
    before = counts.proxy_faults["no_upgrade"]
    status, headers = await answer(
        "/ws/lobby/", "GET", sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ=="
    )
    assert (status, headers[b"upgrade"]) == (426, b"websocket")
    assert counts.proxy_faults["no_upgrade"] == before + 1
    assert "Upgrade" in caplog.text
    assert (await answer("/ws/lobby/", "GET"))[0] == 426
    assert counts.proxy_faults["no_upgrade"] == before + 1, "a visitor is no handshake"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "fault"),
    [
        (0, "93.184.216.34", "too_few_proxies"),
        (1, "93.184.216.34, 10.0.0.2", "too_few_proxies"),
        (2, "93.184.216.34", "too_many_proxies"),
        (1, None, "too_many_proxies"),
        (1, "93.184.216.34", None),
        (1, "198.51.100.1, 93.184.216.34", None),
        (2, "93.184.216.34, 10.0.0.2", None),
        (0, None, None),
    ],
)
async def test_wrong_number_of_proxies_is_reported(caplog, settings, trusted, forwarded, fault):
    settings.TRUSTED_PROXIES, settings.CSRF_TRUSTED_ORIGINS = trusted, ["https://meet.example"]
    before = counts.proxy_faults.copy()
    await answer("/http/lobby/", "GET", x_forwarded_for=forwarded)
    assert counts.proxy_faults - before == ({fault: 1} if fault else {})
    assert ("TRUSTED_PROXIES" in caplog.text) == bool(fault)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"x_forwarded_proto": None}, "scheme"),
        ({"x_forwarded_proto": None, "origin": "http://meet.example"}, "plain_http"),
        ({}, None),
    ],
)
async def test_form_refused_by_the_setup_names_the_reason(settings, sent, reason):
    settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    before = counts.refused_origins.copy()
    status, _ = await answer("/", content_type="application/x-www-form-urlencoded", **sent)
    assert status == 403
    assert counts.refused_origins - before == ({reason: 1} if reason else {})


async def test_wrong_host_is_reported_once_and_explained(settings, caplog):
    status, _ = await answer("/", "GET", host="127.0.0.1:8001")
    assert status == 400
    (line,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert "ALLOWED_HOSTS" in line
    assert "$http_host" in line


def test_refused_form_page_names_the_wrong_setting():
    from noom_project.error_views import form_refused

    request = RequestFactory().post("/")
    assert "too old" in form_refused(request).content.decode()
