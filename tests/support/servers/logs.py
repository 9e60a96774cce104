"""What may not stand in the log of a server: that it failed, in either format, or crashed."""

import re

FAILURE = re.compile(
    r"^(?:"
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?:ERROR|CRITICAL) "  # LOG_FORMAT=text
    r'|\{"time": "[^"]+", "level": "(?:ERROR|CRITICAL)", '  # LOG_FORMAT=json
    # What Python itself writes, where no logger is asked.
    r"|Traceback \(most recent call last\):|Exception ignored |Unhandled |Fatal Python error"
    r").*(?:\n  .*)*",  # what belongs to it is indented
    re.MULTILINE,
)


def failures(log: str) -> list[str]:
    """The records of failures, each with its exception."""
    return FAILURE.findall(log)


def assert_no_failure(*logs: str) -> None:
    """Nothing went wrong in the servers that wrote these logs."""
    found = [failure for log in logs for failure in failures(log)]
    assert not found, "\n".join([f"{len(found)} failures in the log:", *found])[-5_000:]
