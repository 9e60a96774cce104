"""Errors of the services, which consumers turn into frames."""

from chat.protocol.error_codes import RefusalCode


class Unavailable(Exception):
    """Redis or the database does not answer; a retry may succeed."""


class Refused(Exception):
    """A request that a rule forbids: `code` is for the page, `message` for people."""

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class ConnectionEnded(Exception):
    """The connection of a request was closed before its answer.

    Its page has most likely sent the request again on another connection.
    """


class Outdated(Exception):
    """A newer connection of the page holds the member of this request."""


class OverBudget(Refused):
    """An address or a room has spent its budget.

    The answer is delayed, because an immediate retry would cost as much as the request.
    """

    def __init__(self, message: str) -> None:
        super().__init__("too_fast", message)
