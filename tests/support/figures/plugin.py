"""Mark and figures of every test of a target.

The conftest.py of tests/reliability and of tests/security import all of it.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browsers.headless_callers import LightPages
from tests.support.clients.admin_client import Admin
from tests.support.figures.report import Figure, Run, note
from tests.support.figures.targets import FIGURES, TARGETS
from tests.support.servers.cluster import Process
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.room_under_attack import WITHOUT_RATE_LIMITS
from tests.support.servers.two_process_site import TwoProcessSite

TESTS = Path(__file__).parents[2]
MEASURED = (TESTS / "reliability", TESTS / "security")  # every test in these folders has a target
MISSES = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Check that every test has a target, and mark all as live.

    A test without its target would be missing in the report. All of them start processes.
    """
    for item in items:
        if not any(folder in item.path.parents for folder in MEASURED):
            continue
        if _target(item) not in TARGETS:
            raise pytest.UsageError(
                f"{item.nodeid} needs the mark of a target, such as target('R1')"
            )
        item.add_marker("live")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how a test ended.

    A test that failed before its figures would otherwise look like none.
    """
    report = yield
    if FIGURES and not report.skipped and (report.when == "call" or report.failed):
        note(Path(FIGURES), Run(_target(item), item.name, held=report.passed))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that has a figure above its limit."""
    yield
    misses = item.stash.get(MISSES, [])
    if misses:
        pytest.fail("\n".join(misses), pytrace=False)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Note a figure of this test's target: `figure(what, value, limit=…, unit=…)`.

    The test fails at its end, after all figures, if one was above its limit. A target that wants
    "at least" counts what is missing, with the limit 0.

    A figure without a unit is a count. Losses, doubles and wrong admissions are wrong at any speed,
    so every run judges counts. A figure with a unit (s, ms, /s, %, ×, MB) depends on the machine:
    only a run that notes figures (`make reliability`, on a quiet machine) judges it.
    """
    target = _target(request.node)
    misses = request.node.stash.setdefault(MISSES, [])

    def figure(what: str, value: float, *, limit: float, unit: str = "") -> None:
        found = Figure(target, what, float(value), limit, unit)
        print(found)
        if FIGURES:
            note(Path(FIGURES), found)
        if found.misses(judging_speed=bool(FIGURES)):
            misses.append(f"{target}, {what}: {value} {unit}, at most {limit}")

    return figure


@pytest.fixture
def start_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., TwoProcessSite]]:
    """Start a Redis and two processes for one test: `start_site(NAME="value", …)`."""
    with ExitStack() as stops:

        def start(**environment: str) -> TwoProcessSite:
            site = TwoProcessSite(tmp_path_factory.mktemp("site"), **environment)
            stops.callback(site.stop)
            site.start()
            return site

        yield start


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoProcessSite]:
    """Redis and two processes of one module, without limits for one address."""
    site = TwoProcessSite(tmp_path_factory.mktemp("site"), **WITHOUT_RATE_LIMITS)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def cluster(open_site: TwoProcessSite) -> Iterator[list[Process]]:
    """The processes of the site; their logs may contain no failure afterwards."""
    yield open_site.processes
    assert_no_failure(*(process.log for process in open_site.processes))


@pytest.fixture(scope="module")
def admin(open_site: TwoProcessSite) -> Admin:
    """A client that is logged in to the admin of the first process."""
    return Admin(open_site.processes[0])


@pytest.fixture
def light(browser: Browser) -> Iterator[Callable[[str], LightPages]]:
    """Open the LightPages of a server: `light(url)`."""
    opened: list[LightPages] = []

    def light(url: str) -> LightPages:
        opened.append(LightPages(browser, url))
        return opened[-1]

    yield light
    for pages in opened:
        pages.close()


@pytest.fixture
def start_process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a process without Redis until the end: `start_process(NAME="value", …)`.

    The process runs `manage.py serve`.
    """
    with ExitStack() as stops:

        def start(**environment: str) -> Process:
            process = Process(tmp_path, **environment)
            stops.callback(process.stop)
            process.start()
            return process

        yield start


@pytest.fixture
def site(start_site: Callable[..., TwoProcessSite]) -> TwoProcessSite:
    """A site with the settings of a fresh install."""
    return start_site()


def _target(item: pytest.Item) -> str:
    mark = item.get_closest_marker("target")
    return str(mark.args[0]) if mark else ""
