"""The variables of the site, its proxies, log, storage and processes."""

from chat.realtime import redis_client
from noom_project.config import addresses
from noom_project.config.environment import check_time_zone
from noom_project.local.defaults import own_hosts
from noom_project.variables.declared import VAR_DIR, YEAR_S, env

LANGUAGES = [("en", "English"), ("ko", "한국어")]

env.section("Site")

DEBUG = env.bool(
    "DEBUG",
    "Development: error pages, static files from the tree, a secret key kept in `var/`. `serve` "
    "then listens on loopback alone, without proxies and passwords.",
    default=True,
)
GIVEN_SECRET_KEY = env.secret(
    "SECRET_KEY",
    "Signs tokens and cookies; required without DEBUG, with at least 32 characters.",
    shown="made, kept in `var/`",
)
FORMER_SECRET_KEYS = env.secret(
    "SECRET_KEY_FALLBACKS",
    "Former keys, joined by commas. Their signatures stay valid ([how to change a "
    "key](operating.md#passwords-and-secrets)).",
)
# Read once, because a network that comes or goes later must not change them.
OWN_HOSTS = own_hosts() if DEBUG else []
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS",
    "The host names that Noom answers to; required without DEBUG.",
    default=OWN_HOSTS,
    check=addresses.check_allowed_host,
    shown="this machine's names",
)
CSRF_TRUSTED_ORIGINS = env.list(
    "CSRF_TRUSTED_ORIGINS",
    "Further origins (`https://…`) whose pages may open sockets and send forms.",
    default=[],
    check=addresses.check_origin,
)
LANGUAGE_CODE = env.choice(
    "LANGUAGE_CODE",
    "Language for a browser that asks for none of the two.",
    default="en",
    among=[code for code, _ in LANGUAGES],
)
TIME_ZONE = env.str(
    "TIME_ZONE", "Time zone of the admin.", default="UTC", check=check_time_zone, unit="name"
)

env.section("Proxy and https")

TRUSTED_PROXIES = env.int(
    "TRUSTED_PROXIES",
    "Number of your own proxies in front of Noom. Each adds one entry to `X-Forwarded-For`.",
    default=0,
    least=0,
    most=20,
    unit="proxies",
)
SECURE_SSL_REDIRECT = env.bool(
    "SECURE_SSL_REDIRECT", "Redirects plain http to https.", default=False
)
SECURE_HSTS_SECONDS = env.int(
    "SECURE_HSTS_SECONDS",
    "How long browsers use https only (`Strict-Transport-Security`).",
    default=0,
    least=0,
    most=10 * YEAR_S,
    unit="seconds",
)

env.section("Log and metrics")

LOG_LEVEL = env.choice(
    "LOG_LEVEL",
    "The least severe level that is logged.",
    default="INFO",
    among=["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    unit="`DEBUG` to `CRITICAL`",
)
LOG_FORMAT = env.choice(
    "LOG_FORMAT",
    "`json` writes one object a line, for machines; `text` is for people.",
    default="text" if DEBUG else "json",
    among=["json", "text"],
    shown="`text`; `json` without DEBUG",
)
# Long, because anybody may guess at it.
METRICS_TOKEN = env.secret(
    "METRICS_TOKEN",
    "Bearer token for `/metrics`, at least 32 characters. Without one only this machine may read "
    "it.",
    least_chars=32,
)

env.section("Storage and processes")

DATABASE_URL = env.str(
    "DATABASE_URL",
    "Rooms and messages; `postgres://…` for PostgreSQL.",
    default=f"sqlite:///{VAR_DIR / 'noom.sqlite3'}",
    check=addresses.check_database,
    shown="`sqlite:///var/noom.sqlite3`",
    unit="URL",
)
DATABASE_TIMEOUT_S = env.float(
    "DATABASE_TIMEOUT_S",
    "How long a process waits for an answer of PostgreSQL before it closes the connection.",
    default=10.0,
    most=3600,
    unit="seconds",
)
REDIS_URLS = env.list(
    "REDIS_URL",
    "What several processes share (`redis://…`). The first holds presence; the channel layer uses "
    "all of them. With Sentinels: `redis+sentinel://host:port,host:port/service/db`.",
    default=[],
    check=addresses.check_redis,
    split=redis_client.split,
    unit="list of URLs",
)
PROCESSES = env.int(
    "PROCESSES",
    "Number of processes that share the rooms; more than one needs Redis.",
    default=1,
    most=1_000,
    unit="processes",
)
