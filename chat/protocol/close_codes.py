"""Close codes of the sockets, and what a client does after each. Pure.

`manage.py write_protocol` writes them for the page and for docs/protocol.md.
"""

from typing import NamedTuple

NORMAL = 1000
GOING_AWAY = 1001  # from a browser whose page is closed or reloaded
BROKEN_CLIENT = 4400
BAD_TOKEN = 4401
REMOVED = 4403
ROOM_CLOSED = 4404
CALL_ENDED = 4405
SILENT = 4408
REPLACED = 4409
RESTARTING = 4412
TOO_SLOW = 4413
MISDIRECTED = 4421  # over HTTP alone: a WebSocket of a refused origin does not open
OLD_PAGE = 4426
FLOODING = 4429
SERVER_ERROR = 4500

ALL = frozenset(code for code in vars().values() if isinstance(code, int))

SILENT_S = 5.0  # the least silence of a connection that is closed as SILENT


class Close(NamedTuple):
    """The name of a close code, its meaning and what a page does after it.

    After a final one a client makes no new connection. `after_ms` is the shortest wait before one.
    With `reason_is_jitter_ms` the reason of the close may hold the longest wait.
    """

    name: str
    meaning: str
    page: str
    is_final: bool = False
    after_ms: int = 0
    reason_is_jitter_ms: bool = False


RELOADS = "stops and asks for a reload"
STOPS = "stops and says so"
RETURNS = "comes back"
RETURNS_LATER = "says so, and comes back after five seconds or more"
# After every other code, such as 1000, 1001 and 1006, a page comes back.
CLOSES = {
    BROKEN_CLIENT: Close("broken_client", "the client broke the protocol", RELOADS, is_final=True),
    BAD_TOKEN: Close("bad_token", "the token is bad or too old", RELOADS, is_final=True),
    REMOVED: Close("removed", "removed by an admin", STOPS, is_final=True),
    ROOM_CLOSED: Close("room_closed", "the room was closed", STOPS, is_final=True),
    CALL_ENDED: Close(
        "call_ended",
        "an admin ended the call",
        "stays in the room, says so, and offers the call again",
        is_final=True,
    ),
    SILENT: Close("silent", "nothing came from it, not even the answer to a ping", RETURNS),
    REPLACED: Close(
        "replaced", "the same participant came on a newer connection", STOPS, is_final=True
    ),
    RESTARTING: Close("restarting", "the server restarts", RETURNS, reason_is_jitter_ms=True),
    TOO_SLOW: Close("too_slow", "it read too slowly", "comes back and resumes"),
    MISDIRECTED: Close(
        "misdirected",
        "over HTTP alone: the server takes the page's origin for another site's",
        RETURNS_LATER,
        after_ms=5_000,
    ),
    OLD_PAGE: Close(
        "old_page", "the page was made for another version than the server", RELOADS, is_final=True
    ),
    FLOODING: Close(
        "flooding", "it sent too much, or its address did", RETURNS_LATER, after_ms=5_000
    ),
    SERVER_ERROR: Close("server_error", "the server failed", RETURNS),
}
FINAL = frozenset(code for code, close in CLOSES.items() if close.is_final)
