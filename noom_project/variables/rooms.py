"""The variables of rooms, presence, calls and limits."""

from noom_project.config import addresses
from noom_project.variables.declared import DAY_S, YEAR_S, env

env.section("Rooms")

LIST_ROOMS = env.bool(
    "LIST_ROOMS",
    'First position of the switch "Show in open rooms" on the welcome page. With `0` only the '
    "link leads to a new room.",
    default=True,
)
ROOM_CAPACITY = env.int(
    "ROOM_CAPACITY",
    "Most people in a room; the admin can set another number for one room.",
    default=100,
    most=100_000,
    unit="people",
)
RETENTION_DAYS = env.int(
    "RETENTION_DAYS", "Messages older than this are deleted.", default=30, most=36_500, unit="days"
)
ROOM_RETENTION_DAYS = env.int(
    "ROOM_RETENTION_DAYS",
    "Rooms older than this are deleted if they have no message and no people. A room stays if an "
    "admin closed it, gave it a capacity or removed somebody.",
    default=90,
    most=36_500,
    unit="days",
)
BAN_RETENTION_DAYS = env.int(
    "BAN_RETENTION_DAYS",
    "Bans older than this end: a removed browser may enter again.",
    default=365,
    most=36_500,
    unit="days",
)
ADMIN_LOG_RETENTION_DAYS = env.int(
    "ADMIN_LOG_RETENTION_DAYS",
    "Entries of the admin's log older than this are deleted.",
    default=365,
    most=36_500,
    unit="days",
)
FAILED_LOGIN_RETENTION_DAYS = env.int(
    "FAILED_LOGIN_RETENTION_DAYS",
    "Failed logins older than this are deleted.",
    default=30,
    most=36_500,
    unit="days",
)

env.section(
    "Presence and connections",
    "`HEARTBEAT_INTERVAL_S` is at most half of `PRESENCE_LEASE_S`, and `RELOAD_GRACE_S` ≤ "
    "`RECONNECT_GRACE_S` ≤ `PRESENCE_LEASE_S`. `TOKEN_MAX_AGE_S` is above `RECONNECT_GRACE_S`. "
    "`manage.py check` refuses anything else.",
)

TOKEN_MAX_AGE_S = env.int(
    "TOKEN_MAX_AGE_S",
    "How long an opened page can enter its room; an open page renews its token in time.",
    default=DAY_S,
    most=YEAR_S,
    unit="seconds",
)
SOCKET_LIFETIME_S = env.int(
    "SOCKET_LIFETIME_S",
    "After this a socket is closed and its page reconnects, unnoticed.",
    default=DAY_S,
    most=YEAR_S,
    unit="seconds",
)
PRESENCE_LEASE_S = env.float(
    "PRESENCE_LEASE_S",
    "How long a member stays whose process no longer renews its lease.",
    default=15.0,
    most=DAY_S,
    unit="seconds",
)
HEARTBEAT_INTERVAL_S = env.float(
    "HEARTBEAT_INTERVAL_S",
    "Interval of lease renewals and heartbeats.",
    default=5.0,
    most=DAY_S,
    unit="seconds",
)
RECONNECT_GRACE_S = env.float(
    "RECONNECT_GRACE_S",
    'How long a member stays, shown as "reconnecting", after its connection was lost.',
    default=10.0,
    most=DAY_S,
    unit="seconds",
)
RELOAD_GRACE_S = env.float(
    "RELOAD_GRACE_S",
    "The same for a page that was closed or is being reloaded.",
    default=3.0,
    most=DAY_S,
    unit="seconds",
)

env.section("Calls")

# Each participant of a mesh sends to each other one; beyond 16 no upload is fast enough.
CALL_CAPACITY = env.int(
    "CALL_CAPACITY",
    "Most people in a call, 2 to 16: each sends to each other.",
    default=8,
    least=2,
    most=16,
    unit="people",
)
ICE_SERVERS = env.json(
    "ICE_SERVERS",
    'STUN servers: `[{"urls": ["stun:…"]}]`.',
    default=[],
    check=addresses.check_ice_servers,
)
TURN_URLS = env.list(
    "TURN_URLS",
    "Addresses of your relay (`turn:relay.example.org:3478`, `…?transport=tcp`).",
    default=[],
    check=addresses.check_turn,
    unit="list of URLs",
)
TURN_SECRET = env.secret(
    "TURN_SECRET", "The secret that Noom and the relay share (coturn's `static-auth-secret`)."
)
# coturn cannot revoke credentials, so a removed guest keeps valid ones for this long. In a shorter
# time a page may fail to use the credentials that it received.
TURN_TTL_S = env.int(
    "TURN_TTL_S",
    "Lifetime of relay credentials, 30 to 3600. Callers receive new ones after a third of it; "
    "removed people receive none.",
    default=45,
    least=30,
    most=3600,
    unit="seconds",
)
ICE_RELAY_ONLY = env.bool(
    "ICE_RELAY_ONLY",
    "`1`: calls use the relay alone, so nobody learns another's address.",
    default=False,
)

env.section(
    "Limits",
    '"On average" means that a short burst may be larger: five seconds\' worth at once. An address '
    "is one IPv4 address or one IPv6 /64.",
)

RATE_LIMITS = env.bool(
    "RATE_LIMITS",
    "`0` lifts all limits of this table; for benchmarks on loopback only.",
    default=True,
)
MESSAGES_PER_S = env.float(
    "MESSAGES_PER_S",
    "What a chat socket may send, on average.",
    default=10.0,
    unit="messages a second",
)
SIGNALS_PER_S = env.float(
    "SIGNALS_PER_S",
    "What a call socket may send, on average.",
    default=100.0,
    unit="messages a second",
)
CONNECTIONS_PER_S = env.float(
    "CONNECTIONS_PER_S",
    "Sockets that an address may open, on average.",
    default=50.0,
    unit="sockets a second",
)
SOCKETS_PER_ADDRESS = env.int(
    "SOCKETS_PER_ADDRESS", "Sockets that an address may hold open.", default=1_000, unit="sockets"
)
MESSAGES_PER_ADDRESS_PER_S = env.float(
    "MESSAGES_PER_ADDRESS_PER_S",
    "Chat messages that a process takes from an address, on average.",
    default=50.0,
    unit="messages a second",
)
MESSAGES_PER_ROOM_PER_S = env.float(
    "MESSAGES_PER_ROOM_PER_S",
    "Chat messages that a process takes for a room, on average.",
    default=100.0,
    unit="messages a second",
)
MB_PER_ADDRESS_PER_DAY = env.float(
    "MB_PER_ADDRESS_PER_DAY",
    "What a process stores for an address, all at once or over a day.",
    default=100.0,
    unit="MB a day",
)
MB_PER_ROOM_PER_DAY = env.float(
    "MB_PER_ROOM_PER_DAY",
    "What a process stores for a room, all at once or over a day.",
    default=100.0,
    unit="MB a day",
)
ROOMS_PER_ADDRESS_PER_DAY = env.int(
    "ROOMS_PER_ADDRESS_PER_DAY",
    "Rooms that an address may make at a process.",
    default=1_000,
    unit="rooms a day",
)
HISTORY_KB_PER_S = env.float(
    "HISTORY_KB_PER_S",
    "Earlier messages that a socket may read, on average.",
    default=200.0,
    unit="KB a second",
)
HISTORY_KB_PER_ADDRESS_PER_S = env.float(
    "HISTORY_KB_PER_ADDRESS_PER_S",
    "Earlier messages that an address may read, on average.",
    default=1_000.0,
    unit="KB a second",
)
