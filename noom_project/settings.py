"""Every setting of Noom; without an environment Noom runs embedded.

Those that the environment gives are declared in noom_project/variables/.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from chat.realtime import redis_client
from noom_project.config import secret_masking
from noom_project.local import private_files
from noom_project.local.defaults import load_or_create_secret
from noom_project.monitoring.log_formatters import logging_config
from noom_project.security.content_policy import CONTENT_SECURITY_POLICY, PERMISSIONS_POLICY  # noqa: F401
from noom_project.variables.declared import BASE_DIR, VAR_DIR, YEAR_S, env

# In the order of docs/configuration.md.
# isort: off
from noom_project.variables.site import *
from noom_project.variables.rooms import *
# isort: on

NO_SECRET_KEY = "no-secret-key"  # noqa: S105 - a check refuses it

# The environment is read completely. A wrong value in it ends the start.
env.refuse()

# The folder holds messages, password hashes and sessions: no other user may read them.
private_files.keep_folder(VAR_DIR)
SECRET_KEY = GIVEN_SECRET_KEY or (
    load_or_create_secret(VAR_DIR / "secret_key") if DEBUG else NO_SECRET_KEY
)
# Signatures of these keys stay valid while a key is being changed.
SECRET_KEY_FALLBACKS = [key for key in FORMER_SECRET_KEYS.split(",") if key]
# Secrets that no log and no error page may show.
HIDDEN_SECRETS = secret_masking.secrets_of(
    [SECRET_KEY, *SECRET_KEY_FALLBACKS, METRICS_TOKEN, TURN_SECRET, DATABASE_URL, *REDIS_URLS]
)
DEFAULT_EXCEPTION_REPORTER = "noom_project.security.debug_pages.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "noom_project.security.debug_pages.Filter"

INSTALLED_APPS = [
    "noom_project",
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "noom_project.security.axes_app.LoginLock",
    "channels",
    "chat",
    "call",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # With DEBUG it serves the files of the source tree, otherwise those that collectstatic gathered
    # for this version or another one.
    "noom_project.assets.shared_files.SharedFiles",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "noom_project.error_views.Away",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Login lock of the admin: five wrong passwords from an address, for any accounts, lock it out at
# all processes, which count in the database. Accounts are not locked: anybody could lock one.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)  # templates/admin/locked.html says so
AXES_LOCKOUT_PARAMETERS = ["ip_address"]
AXES_CLIENT_IP_CALLABLE = "noom_project.security.admin_login.locked_address"
AXES_LOCKOUT_TEMPLATE = "admin/locked.html"
AXES_RESET_ON_SUCCESS = True
# Refused attempts are not stored, or a locked out client could fill the database.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["username"]  # in the log, as some people type a password there
AXES_VERBOSE = False
ROOT_URLCONF = "noom_project.urls"
ASGI_APPLICATION = "noom_project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
# A page's connection ends with its request. The threads of chat/storage/database.py keep theirs.
DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"]["ENGINE"] = "noom_project.postgresql"
    # A cursor that outlives its transaction is lost behind PgBouncer.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    # The kernel closes a connection to a host that died silently: after 11 s if it is idle, after
    # 10 s (in ms) if sent data are not acknowledged. The URL may override these.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    private_files.keep_database(Path(DATABASES["default"]["NAME"]))
    # WAL lets readers read while one writes; FULL because a message shown as sent is on the disk;
    # IMMEDIATE because a transaction that starts by reading may otherwise fail at its first write.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
    # The journal writes from its own thread, which an in-memory test database would lock out.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}

# A call to Redis ends within these times, or fails for its caller.
REDIS_OPTIONS: dict[str, Any] = {
    "socket_timeout": 2.0,
    "socket_connect_timeout": 2.0,
    "retry": Retry(ExponentialBackoff(cap=0.2, base=0.05), retries=2),
}
if REDIS_URLS:
    # The pub/sub layer: channels-redis' core layer drops bursts, and redis-py's own time-out closes
    # its sockets. A subscription waits for longer than a query.
    options = {**REDIS_OPTIONS, "socket_timeout": 15.0, "max_connections": 50}
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "noom_project.server.channel_layers.RedisLayer",
            "CONFIG": {"hosts": [redis_client.layer_host(url, **options) for url in REDIS_URLS]},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "noom_project.server.channel_layers.InProcessLayer"}}

LOCALE_PATHS = [BASE_DIR / "noom_project" / "locale"]
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "noom_project.assets.finders.JoinedFinder",
]
# Set once, because a test run turns DEBUG off later.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MIMETYPES = {".webmanifest": "application/manifest+json"}
WHITENOISE_ALLOW_ALL_ORIGINS = False  # the files are for Noom's own pages
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "noom_project.assets.storage.HashedStaticFilesStorage"
    },
}

# Cookies, forms and headers.

SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not DEBUG
CSRF_FAILURE_VIEW = "noom_project.error_views.form_refused"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = YEAR_S
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# W005: only the owner knows whether subdomains speak https too. W021: browsers' preload lists are
# hard to undo. The proxy can add both words.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE = DAPHNE_WEBSOCKET_MAX_FRAME_SIZE = 128 * 1024

LOGGING = logging_config(level=LOG_LEVEL, form=LOG_FORMAT)
