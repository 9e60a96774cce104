"""The log: one record a line, without forged lines and without secrets.

Control characters of clients are escaped, so they cannot begin a line or move a cursor. Tokens and
the secrets of unlisted addresses are hidden wherever they occur. Of the text of an exception only
the first line is kept, because a database puts the whole row into the others.
"""

import json
import logging
import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from chat.realtime.rate_limits import TokenBuckets, network
from noom_project.config import secret_masking

# Lines of one address; beyond them they are counted. A school that enters at once makes a thousand
# lines. An hour of one address is 20 MB.
LINES_PER_S, LINES_BURST_S = 20.0, 60.0
MAX_CHARS = 2_000  # of a message, or of one line of a traceback; the rest is cut off
MAX_FRAMES = 40
MAX_CHAIN = 5  # exceptions that caused each other
MAX_SECRET_CHARS = 1_000
# The secret end of an unlisted address, and a token of django.core.signing. The pattern reads each
# character once, because a client chooses them.
SECRET = re.compile(
    r"(?:(?<=~)|(?<=%7[eE]))[a-z2-7]{16}|(?<![\w.-])[\w.-]{16,}+:[\w-]{6}:[\w-]{43}", re.ASCII
)

# Fields of a record besides its message (`extra`). `page` names a page load, so it joins the lines
# of its sockets with the reference that a person quotes. `connection` names one.
FIELDS = (
    "reference",
    "page",
    "socket",
    "connection",
    "room",
    "address",
    "code",
    "seconds",
    "left_out",
)


class OfOneAddress(logging.Filter):
    """Bounds the lines that one address causes, because a log fills a disk too.

    It counts the lines beyond the bound; the next line of the address has their number.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._buckets = TokenBuckets(lambda: LINES_PER_S, clock, burst_s=LINES_BURST_S)
        self._left_out: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        address = getattr(record, "address", None)
        if address is None:
            return True
        holder = network(address)
        if not self._buckets.take(holder):
            if holder in self._left_out or len(self._left_out) < TokenBuckets.MAX_KNOWN:
                self._left_out[holder] += 1
            return False
        record.left_out = self._left_out.pop(holder, None)
        return True


def logging_config(*, level: str, form: str) -> dict[str, Any]:
    """Django's LOGGING: one handler, whose formatter is `json` or `text`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "noom_project.monitoring.log_formatters.JsonFormatter"},
            "text": {"()": "noom_project.monitoring.log_formatters.TextFormatter"},
        },
        "filters": {
            "of_one_address": {"()": "noom_project.monitoring.log_formatters.OfOneAddress"}
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "filters": ["of_one_address"],
                "formatter": form,
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own handlers do not use these formats.
            "django": {"handlers": [], "level": "INFO"},
            # noom_project/security/refused_requests.py logs it, once a minute.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "daphne": {"level": "WARNING"},
            "aioice": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "django.channels.server": {"handlers": ["console"], "propagate": False},
        },
    }


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in ASCII, so that no character ends the line early."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _shown(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info and record.exc_info[1]:
            told["error"] = [
                {
                    "type": type(error).__qualname__,
                    "message": _words(error),
                    "trace": [f"{f.filename}:{f.lineno} {f.name}" for f in _frames(error)],
                }
                for error in _chain(record.exc_info[1])
            ]
        return json.dumps(told)


class TextFormatter(logging.Formatter):
    """Text for people: the message with its control characters escaped.

    A traceback follows, indented, so that none of its lines looks like a record.
    """

    def format(self, record: logging.LogRecord) -> str:
        time = self.formatTime(record)
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        lines = [f"{time} {record.levelname} {record.name}: {record.getMessage()}{fields}"]
        if record.exc_info and record.exc_info[1]:
            for error in _chain(record.exc_info[1]):
                lines.append(f"  {type(error).__qualname__}: {_words(error)}")
                for entry in traceback.format_list(_frames(error)):
                    lines += [f"  {line}" for line in entry.splitlines()]
        return "\n".join(_visible(_shown(line)) for line in lines)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Returns the fields besides the message; Django's records have their request."""
    found = {name: getattr(record, name, None) for name in FIELDS}
    request = getattr(record, "request", None)
    if request is not None and hasattr(request, "method"):
        found |= {"method": request.method, "path": request.path}
        found |= {"status": getattr(record, "status_code", None)}
        found["reference"] = getattr(request, "reference", None)
    return {
        name: value if isinstance(value, int | float) else _shown(str(value))
        for name, value in found.items()
        if value not in (None, "")
    }


def _shown(text: str) -> str:
    # Hides secrets before the cut, because half of a secret is not recognised.
    begun = secret_masking.hide(text[: MAX_CHARS + MAX_SECRET_CHARS], settings.HIDDEN_SECRETS)
    return SECRET.sub("[secret]", begun)[:MAX_CHARS]


def _visible(line: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _words(error: BaseException) -> str:
    return _shown(str(error).strip().partition("\n")[0])


def _frames(error: BaseException) -> traceback.StackSummary:
    return traceback.extract_tb(error.__traceback__, limit=-MAX_FRAMES)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an exception, its cause, the cause of that, and so on."""
    for _ in range(MAX_CHAIN):
        if error is None:
            return
        yield error
        hidden = error.__suppress_context__ or isinstance(error.__cause__, BaseException)
        error = error.__cause__ if hidden else error.__context__
