"""S13: every answer has exactly the headers of the table in this module."""

import re
import sqlite3
from collections.abc import Iterator

import pytest

from tests.support.clients import raw_http
from tests.support.servers.cluster import Process
from tests.support.servers.production import start_production

LARGE = {"Content-Length": "9999999"}
HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
# Headers without policy, which differ from answer to answer.
CONTENT = {
    *("allow", "connection", "content-encoding", "content-language", "content-length"),
    *("content-type", "date", "etag", "expires", "last-modified", "location", "set-cookie"),
    *("noom-refused", "sec-websocket-version", "transfer-encoding", "upgrade", "vary"),
    "www-authenticate",
}
ALL = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), display-capture=(self), fullscreen=(self),"
    " geolocation=(), microphone=(self), payment=(), speaker-selection=(self), usb=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
PAGE_POLICY = (
    "base-uri 'none'; connect-src 'self'; default-src 'none'; font-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; img-src 'self' data:; manifest-src 'self'; media-src 'self' blob:;"
    " script-src 'self'; style-src 'self'"
)
NO_STORE = {"cache-control": "no-store"}
# The kinds of answer.
BARE = ALL | NO_STORE | {"content-security-policy": "default-src 'none'; frame-ancestors 'none'"}
SHORT = ALL | NO_STORE | {"content-security-policy": PAGE_POLICY}
PAGE = SHORT | {"cache-control": "max-age=0, no-cache, no-store, must-revalidate, private"}
ROOM = PAGE | {"x-robots-tag": "noindex, nofollow"}
FILE = BARE | {"cache-control": "max-age=315360000, public, immutable"}
STREAM = BARE | {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
LOOSE_FILE = BARE | {"cache-control": "max-age=60, public"}

# Each address with its method and further headers: the status and the kind of its answer.
TABLE = {
    ("GET", "/"): (200, PAGE),
    ("HEAD", "/"): (200, PAGE),
    ("OPTIONS", "/"): (405, PAGE),
    ("POST", "/"): (403, SHORT),  # no CSRF token
    ("POST", "/language/"): (403, SHORT),
    ("GET", "/language/"): (405, SHORT),
    ("GET", "/rooms/team/"): (200, ROOM),
    ("GET", "/rooms/Team Meeting/".replace(" ", "%20")): (302, PAGE),
    ("GET", "/rooms/team/qr.svg"): (200, PAGE),
    ("GET", "/rooms/team/people.json"): (200, PAGE),
    ("OPTIONS", "/rooms/team/"): (405, PAGE),
    ("GET", "/nowhere/"): (302, SHORT),
    ("GET", "/nothing.php"): (404, SHORT),
    ("GET", "/static/nothing.js"): (404, SHORT),
    ("GET", "/static/favicon.svg"): (200, LOOSE_FILE),
    ("GET", "/static/icon-512.png"): (200, LOOSE_FILE),
    ("GET", "/favicon.ico"): (302, SHORT),
    ("GET", "/admin/"): (302, PAGE),
    ("GET", "/admin/login/"): (200, PAGE),
    ("POST", "/admin/login/"): (403, SHORT),
    ("GET", "/admin/jsi18n/"): (302, SHORT),
    ("GET", "/healthz"): (200, BARE),
    ("POST", "/healthz"): (405, BARE),
    ("GET", "/readyz"): (200, BARE),
    ("GET", "/metrics"): (403, BARE),
    ("GET", "/ws/lobby/"): (426, BARE),
    ("POST", "/http/lobby/"): (403, BARE),  # no Origin
    ("GET", "/%ff"): (302, SHORT),
}


@pytest.fixture(scope="module")
def noom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("noom")
    noom = start_production(folder)
    yield noom
    noom.stop()


def policy(answer: raw_http.Answer) -> dict[str, str]:
    """Return the headers that the table is about.

    Directives in one order, as a set has none.
    """
    found = {name.lower(): value for name, value in answer.headers}
    assert len(found) == len({name for name, _ in answer.headers}), "a header came twice"
    policy = found.get("content-security-policy", "")
    found["content-security-policy"] = "; ".join(sorted(policy.split("; ")))
    return {name: value for name, value in found.items() if name not in CONTENT}


def wrong(answer: raw_http.Answer, status: int, kind: dict[str, str]) -> list[str]:
    """Return how an answer differs from the table."""
    found = policy(answer)
    differences = [
        f"{name}: {found.get(name)!r}, not {kind.get(name)!r}"
        for name in sorted(found.keys() | kind.keys())
        if found.get(name) != kind.get(name)
    ]
    return differences + ([f"status {answer.status}"] if answer.status != status else [])


@pytest.mark.target("S13")
def test_every_address_answers_with_the_headers_of_the_table(noom, figure):
    found = {}
    for (method, path), (status, kind) in TABLE.items():
        answer = raw_http.ask(noom.port, path, method=method, headers=HTTPS)
        found[f"{method} {path}"] = wrong(answer, status, kind)
    page = raw_http.ask(noom.port, "/", headers=HTTPS).body.decode()
    files = re.findall(r'(?:src|href)="(/static/[^"#]+)', page)
    assert len(files) >= 2
    for path in files:
        found[path] = wrong(raw_http.ask(noom.port, path, headers=HTTPS), 200, FILE)
    bad = {request: differences for request, differences in found.items() if differences}
    print(bad)
    figure("answers with other headers", len(bad), limit=0)


@pytest.mark.target("S13")
def test_refusals_of_the_server_carry_the_headers(noom, figure):
    port = noom.port
    own = {**HTTPS, "Origin": f"https://127.0.0.1:{port}"}
    answers = {
        "fallback": (raw_http.ask(port, "/http/lobby/", headers=own), 405, STREAM),
        "host": (raw_http.ask(port, "/", headers={"Host": "elsewhere"}), 400, SHORT),
        "header": (raw_http.ask(port, "/", headers={"X-Bad(": "x"}), 400, None),
        "query": (raw_http.send(port, b"GET /?\xff HTTP/1.1\r\nHost: a\r\n\r\n"), 400, None),
        "large": (raw_http.ask(port, "/", method="POST", headers=LARGE), 413, BARE),
        "origin": (raw_http.shake_hands(port, "/ws/lobby/", Origin="http://elsewhere"), 403, BARE),
        "path": (raw_http.shake_hands(port, "/ws/elsewhere/"), 403, BARE),
        "key": (raw_http.shake_hands(port, "/ws/lobby/", Sec_WebSocket_Key=None), 400, BARE),
        "version": (raw_http.shake_hands(port, "/ws/lobby/", Sec_WebSocket_Version="7"), 400, BARE),
        "opened": (raw_http.shake_hands(port, "/ws/lobby/"), 101, None),
    }
    bad = {}
    for name, (answer, status, kind) in answers.items():
        if kind is None:
            # No page can be in such an answer: no header says anything, least of all about Noom.
            named = {name.lower() for name, _ in answer.headers}
            handshake = {"upgrade", "connection", "sec-websocket-accept"}
            differences = [*(named - handshake), *[f"{answer.status}"] * (answer.status != status)]
        else:
            differences = wrong(answer, status, kind)
        if differences:
            bad[name] = differences
    print(bad)
    figure("refusals with other headers", len(bad), limit=0)


@pytest.mark.target("S13")
def test_page_that_fails_has_them_and_a_reference_that_the_log_has(noom, tmp_path, figure):
    database = noom.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(database) as connection:
        connection.execute("ALTER TABLE django_session RENAME TO gone")
    try:
        headers = {**HTTPS, "Cookie": "sessionid=x" * 3}
        answer = raw_http.ask(noom.port, "/admin/", headers=headers)
    finally:
        with sqlite3.connect(database) as connection:
            connection.execute("ALTER TABLE gone RENAME TO django_session")
        connection.close()
    assert wrong(answer, 500, SHORT) == []
    [reference] = re.findall(r"Reference: (\w+)", answer.body.decode())
    lines = [line for line in noom.log.splitlines() if reference in line]
    figure("lines of the log for one failure", abs(len(lines) - 1), limit=0)
    assert "OperationalError" in lines[0]


@pytest.mark.target("S13")
def test_every_cookie_is_restricted_to_own_pages(noom, figure):
    cookies = [
        value
        for path in ("/", "/rooms/team/", "/admin/login/")
        for name, value in raw_http.ask(noom.port, path, headers=HTTPS).headers
        if name.lower() == "set-cookie"
    ]
    assert len(cookies) >= 2
    wanted = ("HttpOnly", "SameSite=Lax", "Secure")
    open_ones = [cookie for cookie in cookies if not all(flag in cookie for flag in wanted)]
    figure("cookies that others could read or use", len(open_ones), limit=0)
