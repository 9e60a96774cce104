"""Failures and crashes in the log of a server, in either format."""

import re

FAILURE = re.compile(
    r"^(?:"
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?:ERROR|CRITICAL) "  # LOG_FORMAT=text
    r'|\{"time": "[^"]+", "level": "(?:ERROR|CRITICAL)", '  # LOG_FORMAT=json
    # Python itself writes these, without a logger.
    r"|Traceback \(most recent call last\):|Exception ignored |Unhandled |Fatal Python error"
    r").*(?:\n  .*)*",  # its continuation is indented
    re.MULTILINE,
)


def failures(log: str) -> list[str]:
    """Return the records of failures, each with its exception."""
    return FAILURE.findall(log)


def assert_no_failure(*logs: str) -> None:
    """Fail if the servers that wrote these logs had a failure."""
    found = [failure for log in logs for failure in failures(log)]
    assert not found, "\n".join([f"{len(found)} failures in the log:", *found])[-5_000:]
