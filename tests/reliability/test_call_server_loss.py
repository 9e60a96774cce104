"""Calls survive a stopped, killed or frozen server, and the loss of its Redis.

Media goes on in every second.
"""

import time

import pytest

from tests.support.browsers.two_person_call import Call, Figure, wait_for_state
from tests.support.browsers.users import Users
from tests.support.servers.cluster import Process, start_cluster

AWAY = {"reconnecting", "offline"}
REDIS_AWAY_S = 3
ENDS = {
    "stop": ("SIGTERM and restart", Process.stop, Process.start, 2),
    "kill": ("kill -9 and restart", Process.kill, Process.start, 2),
    # A page notices after a dozen seconds; with these the time is longer than a lease.
    "freeze": ("server frozen for half a minute", Process.freeze, Process.thaw, 18),
}


@pytest.fixture
def server(tmp_path):
    server = Process(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def at(browser):
    """Open people at one process: `at(process)`. They may see no error of Noom's."""
    everyone = []

    def at(process: Process) -> Users:
        everyone.append(Users(browser, process.url))
        return everyone[-1]

    yield at
    for people in everyone:
        people.leave()


@pytest.mark.slow
@pytest.mark.target("C1")
@pytest.mark.parametrize("end", ENDS)
def test_call_outlives_its_server(server, at, figure: Figure, end: str):
    what, away, back, seconds = ENDS[end]
    call = Call(at(server), at(server), "outlive")
    connections = [page.evaluate("connections.length") for page in call.pages]
    with call.through(figure, what, states=AWAY):
        away(server)
        for page in call.pages:
            wait_for_state(page, AWAY)
        time.sleep(seconds)
        back(server)
    figure(
        f"{what}: seconds without decoded frames", call.seconds_without_frames(), limit=0, unit="s"
    )
    new = [page.evaluate("connections.length") for page in call.pages] != connections
    figure(f"{what}: media that began anew", int(new), limit=0)


@pytest.mark.slow
@pytest.mark.target("R4")
def test_call_continues_without_redis(tmp_path, redis, at, figure: Figure):
    redis.start()
    redis.forget()
    here, there = start_cluster(tmp_path, redis, 2)
    try:
        call = Call(at(here), at(there), "redis")
        with call.through(figure, "Redis killed for 3 s", states={*AWAY, "open"}):
            redis.kill()
            time.sleep(REDIS_AWAY_S)
            redis.start()
            time.sleep(REDIS_AWAY_S)
        lost = call.seconds_without_frames()
        figure("Redis killed for 3 s: seconds without decoded frames", lost, limit=0, unit="s")
    finally:
        here.stop()
        there.stop()
