"""The contents of a line of the log."""

import json
import logging
from types import SimpleNamespace

import pytest

from chat import tokens
from chat.names import keys
from noom_project.monitoring.log_formatters import (
    LINES_BURST_S,
    LINES_PER_S,
    MAX_CHARS,
    JsonFormatter,
    OfOneAddress,
    TextFormatter,
)
from tests.support.servers.logs import assert_no_failure, failures

NASTY = "a\r\nb\x1b[31mc\x00d\u2028e\u2029f\x85g\x9bh\u202ei"
FORMATS = pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])


def record(message="", *args, error=None, **extra):
    exc_info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("noom", logging.INFO, "file", 1, message, args, exc_info)
    made.__dict__ |= extra
    return made


def raised(error, cause=None):
    try:
        raise error from cause
    except type(error) as caught:
        return caught


@FORMATS
def test_client_text_starts_no_log_line_and_moves_no_cursor(formatter):
    for made in (
        record("said %s", NASTY),
        record("said", page=NASTY, room=NASTY),
        record("said", request=SimpleNamespace(method=NASTY, path=NASTY), status_code=404),
    ):
        line = formatter.format(made)
        assert line.isprintable()


@FORMATS
def test_exception_text_starts_no_log_line(formatter):
    lines = formatter.format(record("failed", error=raised(ValueError(NASTY)))).split("\n")
    assert all(line.isprintable() for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])


def test_json_line_names_time_logger_and_message():
    error = raised(RuntimeError("our fault"), cause=raised(KeyError("why")))
    told = json.loads(JsonFormatter().format(record("%s!", "안녕", error=error, page="p", code=1)))
    assert told["message"] == "안녕!"
    assert (told["level"], told["logger"], told["page"], told["code"]) == ("INFO", "noom", "p", 1)
    assert [(e["type"], e["message"]) for e in told["error"]] == [
        ("RuntimeError", "our fault"),
        ("KeyError", "'why'"),
    ]
    assert "test_log_formatters.py" in told["error"][0]["trace"][-1]
    assert "room" not in told


@FORMATS
def test_tokens_and_keys_are_redacted(formatter):
    token = tokens.issue(key="team", browser="b", room_name="Team")
    key = keys.unlisted_key("team")
    secret = key.partition("~")[2]
    error = raised(ValueError(f"{token} {key}"))
    request = SimpleNamespace(method="GET", path=f"/rooms/{key}/")
    made = record(f"{token} at /rooms/team%7E{secret}/", room=key, error=error, request=request)
    line = formatter.format(made)
    assert "team" in line
    assert secret not in line
    assert token not in line
    assert token.rpartition(":")[2] not in line


@FORMATS
def test_database_error_omits_the_row(formatter):
    error = raised(ValueError('violates "check"\nDETAIL: Failing row contains (1, what was said)'))
    line = formatter.format(record("failed", error=error))
    assert "violates" in line
    assert "what was said" not in line


@FORMATS
@pytest.mark.parametrize("flood", ["a" * 100_000, "a:" * 50_000, "~" * 100_000, "a.-" * 33_000])
def test_long_text_is_cut(formatter, flood):
    line = formatter.format(record(flood, error=raised(ValueError(flood))))
    assert len(line) < 3 * MAX_CHARS


@FORMATS
def test_secret_at_the_cut_is_not_cut_in_half(formatter):
    token = tokens.issue(key="team", browser="b", room_name="Team")
    for start in range(MAX_CHARS - len(token) - 5, MAX_CHARS + 5, 7):
        line = formatter.format(record("x " * (start // 2) + token))
        assert token[:12] not in line


def test_log_lines_of_an_address_are_limited_and_counted():
    now = [0.0]
    bound = OfOneAddress(clock=lambda: now[0])
    burst = int(LINES_PER_S * LINES_BURST_S)
    kept = [bound.filter(record("entered", address="192.0.2.1")) for _ in range(burst + 7)]
    assert kept == [True] * burst + [False] * 7
    assert bound.filter(record("entered", address="192.0.2.2")), "another address is heard"
    assert bound.filter(record("not ready")), "a line without an address is heard"
    now[0] = 1.0
    later = record("entered", address="192.0.2.1")
    assert bound.filter(later)
    assert json.loads(JsonFormatter().format(later))["left_out"] == 7


@FORMATS
def test_log_check_finds_only_failures(formatter):
    quiet = record(f"said ERROR {NASTY}", error=raised(TimeoutError("Redis is away")))
    quiet.levelno, quiet.levelname = logging.WARNING, "WARNING"
    failed = record("server error", error=raised(RuntimeError("our fault")), page="p")
    failed.levelno, failed.levelname = logging.ERROR, "ERROR"
    log = "\n".join(formatter.format(made) for made in (quiet, failed, quiet))
    (found,) = failures(log)
    assert "server error" in found
    assert "our fault" in found
    assert "Redis is away" not in found
    with pytest.raises(AssertionError, match="our fault"):
        assert_no_failure("", log)
    assert_no_failure(formatter.format(quiet))


def test_log_check_finds_a_crash_without_a_logger():
    with pytest.raises(AssertionError, match="Traceback"):
        assert_no_failure("Traceback (most recent call last):\n  File x\nZeroDivisionError")
