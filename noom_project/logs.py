"""One line a log record: whatever a client controls cannot start a second one."""

import logging


class LineFormatter(logging.Formatter):
    """The message with its control characters written out, a traceback below it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
