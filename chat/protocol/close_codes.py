"""Close codes of the sockets; docs/protocol.md says what a page then does."""

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
