"""A new version with other scripts and styles replaces one process after the other."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.patience import PATIENCE
from tests.support.servers import source_trees
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import free_port
from tests.support.servers.production import as_operated
from tests.support.servers.redis import Redis
from tests.support.servers.two_process_site import STOP_S, start_balancer
from tests.support.waiting import until

VISITORS, AT_ONCE = 200, 4
ASSETS = re.compile(r'(?:src|href)="(/static/[^"#]+\.(?:js|css|svg))')
PAGES = ("/", "/rooms/rolling/")

pytestmark = pytest.mark.target("D6")


class Visit:
    """A page load, and its missing parts."""

    def __init__(self, url: str, path: str) -> None:
        status, page = ask(url + path)
        self.assets = set(ASSETS.findall(page))
        self.missing = [f"{path}: {status}"] if status != 200 else []
        answers = {asset: ask(url + asset)[0] for asset in sorted(self.assets)}
        self.missing += [f"{asset}: {code}" for asset, code in answers.items() if code != 200]


def ask(address: str) -> tuple[int, str]:
    """Send each request on a connection of its own, so that it reaches the next process."""
    try:
        with urlopen(address, timeout=60 * PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, ""
    except OSError as error:
        return 0, str(error)


class Deployment:
    """Two processes of one site behind a balancer, each with a tree."""

    def __init__(self, folder: Path, redis: Redis, trees: list[Path]) -> None:
        environment = {
            **as_operated(),
            "REDIS_URL": redis.url,
            "PROCESSES": "2",
            "DATABASE_URL": f"sqlite:///{folder / 'noom.sqlite3'}",
        }
        self.processes = []
        for number, root in enumerate(trees):
            own = folder / f"process-{number}"
            own.mkdir()
            process = Process(own, **environment)
            process.root = root
            self.processes.append(process)
        self.environment = self.processes[0].environment
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.port = port

    def start(self, stops: ExitStack) -> None:
        for process in self.processes:
            stops.callback(process.stop)
            process.start()
        balancer = start_balancer(self.port, [process.port for process in self.processes])
        stops.callback(balancer.wait, STOP_S)
        stops.callback(balancer.kill)

    def until_ready(self, process: Process) -> None:
        until(lambda: ask(f"{process.url}/readyz")[0] == 200, "a ready process", seconds=60)


@pytest.fixture
def deploy(tmp_path, redis: Redis) -> Iterator[Callable[[list[Path]], Deployment]]:
    """Start processes of these trees: `deploy(trees)`."""
    with ExitStack() as stops:

        def deploy(trees: list[Path]) -> Deployment:
            site = Deployment(tmp_path, redis, trees)
            for root in dict.fromkeys(trees):
                source_trees.gather(root, site.environment)
            site.start(stops)
            return site

        yield deploy


def visit_while(site: Deployment, replace: Callable[[Process], None]) -> list[Visit]:
    """Visit pages while the processes are replaced one by one, and for some time after."""
    visits: list[Visit] = []
    is_done = threading.Event()

    def come(number: int) -> None:
        while not is_done.is_set() or len(visits) < VISITORS:
            visits.append(Visit(site.url, PAGES[len(visits) % len(PAGES)]))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        coming = [pool.submit(come, number) for number in range(AT_ONCE)]
        try:
            for process in site.processes:
                enough = len(visits) + 20
                until(partial(_has, visits, enough), "visits", seconds=60)
                process.stop()
                replace(process)
                process.start()
                site.until_ready(process)
        finally:
            is_done.set()
        for one in coming:
            one.result()
    return visits


def _has(visits: list[Visit], enough: int) -> bool:
    return len(visits) >= enough


def judge(figure: Callable[..., None], what: str, visits: list[Visit]) -> None:
    names = {asset for visit in visits for asset in visit.assets}
    scripts = {name for name in names if "/js/pages/home.joined." in name}
    assert len(scripts) == 2, f"not two versions were seen: {scripts}"
    assert len(visits) >= VISITORS
    broken = [visit.missing for visit in visits if visit.missing]
    print(len(visits), "visits", broken[:5])
    figure(f"{what}: visitors whose page did not start", len(broken), limit=0)


@pytest.mark.slow
def test_rolling_restart_on_one_machine_breaks_no_page(deploy, tmp_path, figure):
    here = source_trees.copy(tmp_path / "here")
    site = deploy([here, here])
    source_trees.change(here, "new")
    source_trees.gather(here, site.environment)
    judge(figure, "one machine", visit_while(site, lambda process: None))


def test_rolling_restart_of_containers_breaks_no_page(deploy, tmp_path, figure):
    old = [source_trees.copy(tmp_path / f"old-{number}") for number in range(2)]
    site = deploy(old)
    new = source_trees.copy(tmp_path / "new")
    source_trees.change(new, "new")
    source_trees.gather(new, site.environment)

    def replace(process: Process) -> None:
        shutil.rmtree(process.root)  # an image goes with its container
        process.root = new

    judge(figure, "containers", visit_while(site, replace))
