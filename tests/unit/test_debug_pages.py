"""No page of an error and no line of a log shows a secret of the settings."""

import logging
import sys

import pytest
from django.core.management.base import CommandError
from django.test import Client, RequestFactory
from django.views.debug import technical_500_response

from noom_project import settings as ours
from noom_project.config import secret_masking
from noom_project.local import defaults
from noom_project.monitoring.log_formatters import JsonFormatter, TextFormatter
from noom_project.server.startup import hide_debug_pages, require_privacy

PASSWORD, OTHER = "hunter2&'hunter3", "s3cret-of-redis"
SPELT = "hunter2%26%27hunter3"
DATABASE = f"postgres://noom:{SPELT}@db.example/noom"
REDIS = f"redis://:{OTHER}@redis.example:6379/0"


@pytest.fixture
def with_secrets(settings):
    settings.DEBUG = True
    settings.DATABASE_URL, settings.REDIS_URLS = DATABASE, [REDIS]
    settings.SOMETHING_NEW = {"deep": [f"amqp://me:{OTHER}x@mq.example", ("a", REDIS)]}
    settings.HIDDEN_SECRETS = secret_masking.secrets_of([DATABASE, REDIS])
    settings.DEFAULT_EXCEPTION_REPORTER = ours.DEFAULT_EXCEPTION_REPORTER
    return settings


def shows(text: str) -> bool:
    return any(word in text for word in ("hunter2", "hunter3", "s3cret"))


def test_wrong_host_header_is_shown_no_password(with_secrets):
    with_secrets.ALLOWED_HOSTS = ["meet.example"]
    answer = Client().get("/", headers={"host": "wrong.example"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "DATABASE_URL" in page
    assert "SOMETHING_NEW" in page
    assert not shows(page)


@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_debug_page_shows_no_password(with_secrets, accept):
    def fail() -> None:
        url, password = REDIS, PASSWORD
        many = {"a": "x" * 4_080, "b": url}
        raise ValueError(f"no {url} {password} {len(many)}")

    request = RequestFactory().get("/", headers={"accept": accept})
    try:
        fail()
    except ValueError:
        page = technical_500_response(request, *sys.exc_info()).content.decode()
    assert "ValueError" in page
    assert not shows(page)


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_log_line_shows_no_password(with_secrets, formatter):
    try:
        raise OSError(f"no way to {REDIS}, nor as {PASSWORD}")
    except OSError:
        error = sys.exc_info()
    words = f"{DATABASE} and amqp://me:{OTHER}x@mq.example"
    line = formatter.format(logging.LogRecord("n", 20, "f", 1, words, (), error))
    assert "db.example" in line
    assert "hunter3" not in line
    assert "s3cret" not in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:p@h/0", "redis://:[hidden]@h/0"),
        ("('a://u:p@h', 'b://h')", "('a://u:[hidden]@h', 'b://h')"),
        ("postgres://u:p@a@h/x", "postgres://u:[hidden]@h/x"),
        ("postgres://u:p#/a@h/x", "postgres://u:[hidden]@h/x"),
        ("https://h/a?password=x&b=1", "https://h/a?password=[hidden]&b=1"),
        ("https://u@h:80/a", "https://u@h:80/a"),
        ("mail me@h.example: at http://h", "mail me@h.example: at http://h"),
    ],
)
def test_password_of_an_address_is_hidden(text, shown):
    assert secret_masking.without_passwords(text) == shown


def test_short_secret_does_not_redact_other_words():
    assert secret_masking.secrets_of(["redis://:no@h", "k" * 50]) == ("k" * 50,)


@pytest.mark.parametrize(
    ("host", "changes", "reason"),
    [
        ("0.0.0.0", {}, "listen at 0.0.0.0"),  # noqa: S104 - what is refused
        ("192.0.2.1", {}, "listen at 192.0.2.1"),
        ("::", {}, "listen at ::"),
        ("noom.example", {}, "listen at noom.example"),
        ("127.0.0.1", {"TRUSTED_PROXIES": 1}, "TRUSTED_PROXIES is set"),
        ("127.0.0.1", {"CSRF_TRUSTED_ORIGINS": ["https://a.example"]}, "CSRF_TRUSTED_ORIGINS"),
        ("127.0.0.1", {"SECURE_SSL_REDIRECT": True}, "SECURE_SSL_REDIRECT is set"),
        ("127.0.0.1", {"ALLOWED_HOSTS": ["meet.example"]}, "ALLOWED_HOSTS is set"),
        ("127.0.0.1", {"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS is set"),
        ("127.0.0.1", {"DATABASE_URL": DATABASE}, "DATABASE_URL holds a password"),
        ("127.0.0.1", {"REDIS_URLS": [REDIS]}, "REDIS_URL holds a password"),
    ],
)
def test_serve_with_debug_is_refused_on_a_public_address(settings, host, changes, reason):
    settings.DEBUG, settings.ALLOWED_HOSTS, settings.OWN_HOSTS = True, ["a.local"], ["a.local"]
    for name, value in changes.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError, match=reason) as refusal:
        require_privacy(host)
    assert not shows(str(refusal.value))
    settings.DEBUG = False
    require_privacy(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_serve_with_debug_serves_this_machine(settings, host):
    settings.DEBUG, settings.ALLOWED_HOSTS, settings.OWN_HOSTS = True, ["a.local"], ["a.local"]
    require_privacy(host)


def test_network_added_later_does_not_fail_the_privacy_check(settings, monkeypatch):
    hosts = ["localhost", "192.0.2.7"]
    settings.DEBUG, settings.ALLOWED_HOSTS, settings.OWN_HOSTS = True, hosts, hosts
    monkeypatch.setattr(defaults, "own_addresses", list)
    require_privacy("127.0.0.1")


@pytest.mark.parametrize(("host", "debug"), [("127.0.0.1", True), ("::1", True), ("0", False)])
def test_pages_of_errors_are_for_this_machine(settings, host, debug):
    settings.DEBUG = True
    hide_debug_pages(host)
    assert settings.DEBUG is debug
