"""`/healthz` and `/readyz` of real processes: while Redis is frozen, and while one drains."""

import json
import signal
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from socket import create_connection
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.live.cluster import Process, start_cluster
from tests.live.redis import Redis
from tests.live.waiting import until
from tests.live.wire import Wire
from tests.patience import PATIENCE

SOON_S = 3


@pytest.fixture
def process(tmp_path, redis: Redis) -> Iterator[Process]:
    redis.forget()
    [process] = start_cluster(tmp_path, redis, 1)
    yield process
    process.stop()


def ready(process: Process) -> tuple[int, dict[str, str]]:
    """The status, and the state of each check."""
    try:
        answer = urlopen(f"{process.url}/readyz", timeout=SOON_S * PATIENCE)
    except HTTPError as error:
        answer = error
    with answer:
        checks = json.load(answer)["checks"]
    return answer.status, {name: check["state"] for name, check in checks.items()}


def test_a_process_is_not_ready_while_redis_is_frozen_and_soon_after_is(process, redis):
    until(lambda: ready(process)[0] == 200, "being ready")
    redis.freeze()
    try:
        late = {"database": "ok", "redis": "late", "layer": "late", "loop": "ok"}
        until(lambda: ready(process) == (503, late), "noticing it", seconds=SOON_S)
        with urlopen(f"{process.url}/healthz", timeout=SOON_S * PATIENCE) as answer:
            assert answer.read() == b"alive\n"
    finally:
        redis.thaw()
    until(lambda: ready(process)[0] == 200, "being ready again", seconds=SOON_S)


def test_a_process_is_not_ready_while_redis_is_away_and_soon_after_is(process, redis):
    until(lambda: ready(process)[0] == 200, "being ready")
    redis.kill()
    until(lambda: ready(process)[0] == 503, "noticing it", seconds=SOON_S)
    redis.start()
    until(lambda: ready(process)[0] == 200, "being ready again", seconds=SOON_S)


async def test_a_process_that_drains_says_so_on_the_lines_that_it_has(process):
    def ask(balancer: HTTPConnection) -> int:
        balancer.request("GET", "/readyz")
        with balancer.getresponse() as answer:
            answer.read()
            return answer.status

    with closing(HTTPConnection("127.0.0.1", process.port, timeout=SOON_S * PATIENCE)) as balancer:
        assert ask(balancer) == 200
        async with Wire(process.url, "/ws/lobby/") as socket:
            process.signal(signal.SIGTERM)
            # Nothing here gives way to the loop that would answer the close: the process waits.
            assert until(lambda: ask(balancer) == 503, "draining", seconds=SOON_S)
            with pytest.raises(ConnectionRefusedError):
                create_connection(("127.0.0.1", process.port), PATIENCE)
            assert await socket.closing() == 4412
    assert process.wait(10) == 0
    process.start()
