"""Each setting with values that cannot be right: named in one line, and nothing starts."""

import os
import runpy
import subprocess
import sys

import pytest
from django.core.checks import run_checks

from noom_project.config.environment import FORMER_NAMES
from noom_project.management.commands import write_configuration
from noom_project.variables.declared import env
from tests.architecture.source_files import ROOT
from tests.support.patience import PATIENCE

FLAGS = ["enabled", "2", "", " 1", "$DEBUG", "ture"]
NUMBERS = ["-1", "0", "many", "", "1e3", "1_000", "１", "nan", "$PROCESSES", " 5", "9" * 30]
TIMES = [*NUMBERS[:4], *NUMBERS[6:], "inf", "-0.5", "0.0", "1,5", "5s"]
COUNTS = [value for value in NUMBERS if value != "0"]
SECRETS = ["two words", "line\nbreak", "schlüssel"]
# A setting without its row here fails.
WRONG = {
    "DEBUG": FLAGS,
    "SECRET_KEY": SECRETS,
    "SECRET_KEY_FALLBACKS": SECRETS,
    "ALLOWED_HOSTS": [
        *("https://a.example", "a.example, b.example", " a.example", "a.example:443", "a.example/"),
        *("a.example,,b.example", "a.example,", "[::1", "::1", "회의.example", "*.example"),
        *("$HOSTNAME", "-a.example", "user@a.example", "a" * 64 + ".example"),
    ],
    "CSRF_TRUSTED_ORIGINS": [
        *("a.example", "https://a.example/", "https://a.example/x", "ftp://a.example", "null"),
        *(
            "https://a.example:99999",
            "https://A.example",
            "https://*.a.example",
            "https://u@a.example",
        ),
        *("https://a.example, https://b.example", "$ORIGINS", "https://[::1"),
    ],
    "TRUSTED_PROXIES": [*COUNTS, "21"],
    "SECURE_SSL_REDIRECT": FLAGS,
    "SECURE_HSTS_SECONDS": COUNTS,
    "LANGUAGE_CODE": ["de", "", "english", "$LANG"],
    "TIME_ZONE": ["Mars/Olympus", "", "utc+9", "$TZ", "../etc/passwd"],
    "LOG_LEVEL": ["LOUD", "", "10", "$LEVEL"],
    "LOG_FORMAT": ["xml", "", "$FORMAT"],
    "METRICS_TOKEN": ["short", "x" * 31, *SECRETS],
    "DATABASE_URL": [
        *("", "noom", "mysql://h/noom", "postgress://h/noom", "postgres://u:pa#ss@h/noom"),
        *("postgres://h", "postgres://h/", "postgres://h:port/noom", "postgres://h:0/noom"),
        *("postgres://u:pa/ss@h/noom", "postgres://[::1/noom", "sqlite://var/x.sqlite3"),
        *("sqlite:///", "sqlite://:memory:", "$DATABASE", "postgres://a.example,b_ c/noom"),
        *("postgres://h/noom#x", "postgres://a:1,b:x/noom"),
    ],
    "REDIS_URL": [
        *("redis", "127.0.0.1:6379", "http://h:6379", "redis://", "redis://h:port", "redis:///0"),
        *("redis://h/name", "redis://:pa#ss@h", "redis://:pa/ss@h", "unix://", "$REDIS"),
        *("redis://a, redis://b", "redis://a,", "redis://h:70000", "redis://[::1"),
        *("redis+sentinel://a:1", "redis+sentinel://a:x/noom", "http+sentinel://a/noom"),
    ],
    "DATABASE_TIMEOUT_S": TIMES,
    "PROCESSES": [*NUMBERS, "1001"],
    "LIST_ROOMS": FLAGS,
    "ROOM_CAPACITY": NUMBERS,
    "CALL_CAPACITY": [*NUMBERS, "1", "17"],
    "RETENTION_DAYS": [*NUMBERS, "99999"],
    "ROOM_RETENTION_DAYS": [*NUMBERS, "99999"],
    "BAN_RETENTION_DAYS": [*NUMBERS, "99999"],
    "ADMIN_LOG_RETENTION_DAYS": [*NUMBERS, "99999"],
    "FAILED_LOGIN_RETENTION_DAYS": [*NUMBERS, "99999"],
    "TOKEN_MAX_AGE_S": NUMBERS,
    "SOCKET_LIFETIME_S": NUMBERS,
    "PRESENCE_LEASE_S": TIMES,
    "HEARTBEAT_INTERVAL_S": TIMES,
    "RECONNECT_GRACE_S": TIMES,
    "RELOAD_GRACE_S": TIMES,
    "ICE_SERVERS": [
        *("", "stun:a.example", "{", "{}", '[{"url": "stun:a.example"}]', '["stun:a.example"]'),
        *('[{"urls": ["http://a.example"]}]', '[{"urls": ["stun:"]}]', "[" * 100_000, "$ICE"),
        *('[{"urls": ["stun:a.example:x"]}]', '[{"urls": "stun:a.example"}]'),
    ],
    "TURN_URLS": [
        *("a.example", "stun:a.example", "turn://a.example", "turn:", "turn:a.example:0"),
        *("turn:a.example?transport=sctp", "turn:a.example, turn:b.example", "$TURN"),
    ],
    "TURN_SECRET": SECRETS,
    "ICE_RELAY_ONLY": FLAGS,
    "TURN_TTL_S": [*NUMBERS, "29", "3601"],
    "RATE_LIMITS": FLAGS,
    "MESSAGES_PER_S": TIMES,
    "SIGNALS_PER_S": TIMES,
    "CONNECTIONS_PER_S": TIMES,
    "SOCKETS_PER_ADDRESS": NUMBERS,
    "MESSAGES_PER_ADDRESS_PER_S": NUMBERS,
    "MESSAGES_PER_ROOM_PER_S": NUMBERS,
    "MB_PER_ADDRESS_PER_DAY": NUMBERS,
    "MB_PER_ROOM_PER_DAY": NUMBERS,
    "ROOMS_PER_ADDRESS_PER_DAY": NUMBERS,
    "HISTORY_KB_PER_S": NUMBERS,
    "HISTORY_KB_PER_ADDRESS_PER_S": NUMBERS,
}
RIGHT = {
    "DEBUG": ["1", "0", "true", "False", "ON", "no"],
    "SECRET_KEY": ["", "$" + "k" * 50],
    "ALLOWED_HOSTS": ["", "a.example,.b.example,[::1],127.0.0.1,xn--o39an51b2re.example", "*"],
    "CSRF_TRUSTED_ORIGINS": ["", "https://a.example,http://[::1]:8080"],
    "TRUSTED_PROXIES": ["0", "2"],
    "LOG_LEVEL": ["debug", "WARNING"],
    "METRICS_TOKEN": ["", "x" * 32],
    "DATABASE_URL": [
        *("sqlite:////srv/noom.sqlite3", "postgres:///noom", "postgresql://u:p%23@[::1]:5432/noom"),
        *("postgres://a:5432,b:5433/noom", "postgres://%2Frun%2Fpostgresql/noom"),
    ],
    "REDIS_URL": [
        "",
        "redis://:p@h:1/0,rediss://u:p@h",
        "unix:///run/redis.sock?db=1",
        "redis+sentinel://u:p@a:26379,b/noom/2,redis://c",
    ],
    "HEARTBEAT_INTERVAL_S": ["0.5", "5.", "5"],
    "ICE_SERVERS": ["[]", '[{"urls": ["stun:a.example:3478", "turn:[::1]?transport=tcp"]}]'],
    "TURN_URLS": ["", "turn:a.example:3478?transport=udp,turns:10.0.0.1"],
    "TURN_SECRET": ["", "$ecret"],
}


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, object]:
    """The settings in an environment with nothing else in it."""
    for name in WRONG:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for module in [one for one in sys.modules if one.startswith("noom_project.variables.")]:
        monkeypatch.delitem(sys.modules, module)
    return runpy.run_path(str(ROOT / "noom_project" / "settings.py"))


def test_every_setting_has_wrong_values():
    assert sorted(env.names) == sorted(WRONG)
    assert all(WRONG.values())


def test_configuration_page_is_what_the_declarations_say():
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert page == write_configuration.page(), "`manage.py write_configuration` writes it"
    assert all(f"| `{name}` |" in page for name in WRONG)


@pytest.mark.parametrize("name", sorted(WRONG))
def test_wrong_value_is_refused_with_the_settings_name(monkeypatch, name):
    read(monkeypatch)
    for value in WRONG[name]:
        with pytest.raises(SystemExit) as refusal:
            read(monkeypatch, **{name: value})
        line = str(refusal.value.code)
        assert line.startswith(f"Noom cannot start: {name} is "), (value, line)
        assert line.isprintable(), line
        assert len(line) < 300, line


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_right_value_is_read(monkeypatch, name):
    for value in RIGHT[name]:
        read(monkeypatch, **{name: value})


def test_short_secret_key_is_refused_without_debug(settings):
    settings.DEBUG, settings.SECRET_KEY = False, "CHANGE-ME"
    assert "noom.E001" in {found.id for found in run_checks()}


def test_values_are_not_expanded_as_variables(monkeypatch):
    key = "$" + "k" * 50
    assert read(monkeypatch, SECRET_KEY=key)["SECRET_KEY"] == key
    found = read(monkeypatch, DEBUG="0", TURN_SECRET="$DEBUG")
    assert (found["DEBUG"], found["TURN_SECRET"]) == (False, "$DEBUG")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres://noom:hunter2hunter2@h:port/noom"),
        ("DATABASE_URL", "postgres://noom:hunter2#hunter2@h/noom"),
        ("DATABASE_URL", "postgres://h:port/noom?password=hunter2"),
        ("REDIS_URL", "redis://:hunter2/hunter2@h"),
        ("METRICS_TOKEN", "hunter2"),
        ("TURN_SECRET", "hunter2 hunter2"),
    ],
)
def test_refusal_shows_no_password(monkeypatch, name, value):
    with pytest.raises(SystemExit) as refusal:
        read(monkeypatch, **{name: value})
    assert "hunter2" not in str(refusal.value.code)


@pytest.mark.parametrize("command", ["check", "migrate", "createsuperuser", "serve"])
def test_every_command_reports_all_wrong_settings(command):
    ended = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env={**os.environ, "ICE_RELAY_ONLY": "enabled", "PROCESSES": "-1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        "Noom cannot start: PROCESSES is '-1'; set it to a whole number from 1 to 1000.",
        "Noom cannot start: ICE_RELAY_ONLY is 'enabled'; set it to 1 or 0.",
    ]


@pytest.mark.parametrize(("former", "name"), FORMER_NAMES.items())
def test_former_setting_name_is_refused_with_the_present_one(monkeypatch, former, name):
    with pytest.raises(SystemExit, match=rf"^Noom cannot start: {former} is called {name} now"):
        read(monkeypatch, **{former: "5"})
