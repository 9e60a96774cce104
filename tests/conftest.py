"""Fixtures of the whole suite: a real server, and people in real browsers."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django import Settings

from tests.support.browsers.firefox import Firefox
from tests.support.browsers.users import FAKE_DEVICES, Users
from tests.support.servers.dev_server import Noom
from tests.support.servers.postgres import Postgres
from tests.support.servers.production import as_operated, gather_static_files
from tests.support.servers.redis import Redis

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FIREFOXES = ("firefox-esr", "firefox")

# An example may take as long as a busy machine needs.
hypothesis.settings.register_profile("noom", deadline=None)
hypothesis.settings.load_profile("noom")


# The files of `make test` that last, in the order of how long; workers take them first, so that at
# the end none of them is left to one worker alone.
LAST_LONG = [
    "system/test_integration_on_cluster",
    "system/test_benchmarks",
    "reliability/test_bursts",
    "security/test_permission_tables",
    "system/test_documented_commands",
    "browser/test_call",
    "security/test_forged_fields",
    "browser/test_admin",
    "system/test_doctor",
    "security/test_admin_login",
    "reliability/test_transcripts",
    "browser/test_chat",
    "reliability/test_rolling_restart",
    "system/test_cluster",
    "security/test_floods",
    "reliability/test_proxies",
    "browser/test_webrtc",
    "system/test_http_transport",
    "reliability/test_relay_quota",
    "reliability/test_process_frozen",
]
# Their tests share no server: each may go to another worker.
APART = {"test_integration_on_cluster", "test_benchmarks", "test_bursts"}
PLACES = {Path(__file__).parent / f"{name}.py": place for place, name in enumerate(LAST_LONG)}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first; then files that last; and in a file browsers last, whose loop would be in
    the way of others."""
    for item in items:
        uses = set(getattr(item, "fixturenames", ()))
        if uses & {"browser", "people", "person", "firefox"}:
            item.add_marker("browser")
        starts_servers = uses & {"noom", "start_noom", "redis", "postgres", "start_coturn"}
        if starts_servers or item.path.parent.name in ("system", "browser"):
            item.add_marker("live")
        if item.path.stem not in APART:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, int, bool]:
    is_browser = "browser" in item.keywords
    is_slow = is_browser or "live" in item.keywords
    return is_slow, PLACES.get(item.path, len(PLACES)) if is_slow else 0, is_browser


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The database of tests in this process survives no loss of power, and so waits for no disk."""
    options = django_settings.DATABASES["default"].get("OPTIONS", {})
    if "init_command" in options:
        options["init_command"] = options["init_command"].replace("=FULL", "=OFF")


@pytest.fixture(scope="session", autouse=True)
def _gathered_files(request: pytest.FixtureRequest) -> None:
    """A server without DEBUG fails to start while files are gathered, so they are before any."""
    if any({"live", "browser"} & set(item.keywords) for item in request.session.items):
        gather_static_files(as_operated())


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """A password hash is slow on purpose, which no test is about."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    noom = getattr(item, "funcargs", {}).get("noom")
    if report.failed and noom:
        report.sections.append(("Noom's log", noom.log[-10_000:]))
    return report


@pytest.fixture(scope="module")
def start_noom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Noom]]:
    """`start_noom(NAME="value", ...)`: a server with these settings, until the module's end."""
    with ExitStack() as stops:

        def start(**environment: str) -> Noom:
            noom = Noom(tmp_path_factory.mktemp("noom"), **environment)
            stops.callback(noom.stop)
            noom.start()
            return noom

        yield start


@pytest.fixture(scope="module")
def noom(start_noom: Callable[..., Noom]) -> Noom:
    """The server of this module's tests, in rooms of their own; who stops it starts it again."""
    return start_noom()


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of the tests' own."""
    redis = Redis(tmp_path_factory.mktemp("redis"))
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this module's own."""
    postgres = Postgres()
    postgres.start()
    yield postgres
    postgres.stop()


@pytest.fixture
def redis_url(redis: Redis) -> str:
    """Its address."""
    return redis.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless, with fake devices.

    Until the module's end: between its calls Playwright's loop stays in the main thread, where
    pytest-asyncio then cannot start one for the next module.
    """
    # Chromium's sandbox refuses to run as root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=installed(*CHROMIUMS), args=[*FAKE_DEVICES, *sandbox]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def people(noom: Noom, browser: Browser) -> Iterator[Users]:
    """Everyone that a test brings into `noom`; nobody may see an error (see `expected_errors`)."""
    people = Users(browser, noom.url)
    yield people
    people.leave()


@pytest.fixture
def person(people: Users) -> Callable[..., Page]:
    """`person(nickname, room, call=False, **context options)`: a page that has entered."""
    return people.enter


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    """A Firefox with one empty page, which may see no error and no stranger."""
    firefox = Firefox(installed(*FIREFOXES), tmp_path / "firefox.log")
    try:
        yield firefox
        assert firefox.errors == []
        assert {urlsplit(origin).hostname for origin in firefox.origins} <= {None, "127.0.0.1"}
    finally:
        firefox.close()


def installed(*names: str) -> str:
    """The first of these programs that this machine has."""
    found = [path for name in names if (path := shutil.which(name))]
    if not found:
        pytest.fail(f"install one of these programs, or run `make test`: {', '.join(names)}")
    return found[0]
