"""Late, doubled and reordered signalling, with servers that die meanwhile.

The order is lost between two sockets.
"""

import asyncio
import time

import pytest

from tests.support.browsers.two_person_call import Figure
from tests.support.clients.bot_thread import Loop
from tests.support.servers.cluster import Process, start_cluster
from tests.support.servers.signalling_proxy import Frame, SignalProxy, room_of

pytestmark = pytest.mark.slow

LATE_S = 2.0
DOUBLED = 0.1
WITHIN_S = 10.0
BATCHES, PAIRS = 25, 8  # at once: more than these would measure the processor
RESTARTS_APART_S = 5.5  # a page spaces its restarts; a round begins when none has to wait
GLARE_ROUNDS = 13  # of the last batch: a hundred glares
KILLS, KILLED_PAIRS = 4, 5
HELD_WITHIN_S = 20


@pytest.fixture
def loop():
    loop = Loop()
    yield loop
    loop.stop()


@pytest.fixture
def proxy(loop):
    """Start a SignalProxy: `proxy(ports, …)`."""
    running = []

    def proxy(ports, **how):
        running.append(SignalProxy(ports, **how))
        loop.run(running[-1].start())
        return running[-1]

    yield proxy
    for one in running:
        loop.run(one.stop())


@pytest.mark.target("R18")
def test_pairs_converge_and_glares_end(tmp_path, proxy, light, figure: Figure):
    server = Process(tmp_path, RATE_LIMITS="0")
    server.start()
    try:
        bent = proxy([server.port], late_s=LATE_S, doubled=DOUBLED)
        pages = light(bent.url)
        standing = 0
        for batch in range(BATCHES):
            pages.prepare([f"pair-{batch}-{number}" for number in range(PAIRS)])
            start = time.monotonic()
            pages.join()
            standing += pages.standing(PAIRS, seconds=WITHIN_S, since=start)
        all_pairs = BATCHES * PAIRS
        figure(f"pairs not connected within 10 s, of {all_pairs}", all_pairs - standing, limit=0)
        pages.standing(PAIRS, seconds=WITHIN_S, since=time.monotonic())
        glares = ended = 0
        for _ in range(GLARE_ROUNDS):
            time.sleep(RESTARTS_APART_S)
            start = time.monotonic()
            pages.glare()
            ended += pages.standing(PAIRS, seconds=WITHIN_S, since=start)
            glares += pages.glares()
        rounds = GLARE_ROUNDS * PAIRS
        assert glares >= rounds, f"only {glares} glares"
        figure(f"glares not over within 10 s, of {rounds}", rounds - ended, limit=0)
        assert bent.doubles > 0.05 * bent.frames
    finally:
        server.stop()


class Mid:
    """Hold the first frame of a kind of each room until all rooms have sent theirs."""

    def __init__(self, kind: str, rooms: int) -> None:
        self.kind, self.all = kind, asyncio.Barrier(rooms + 1)
        self._seen: set[str] = set()

    async def __call__(self, path: str, frame: Frame) -> None:
        room = room_of(path)
        if frame.type == self.kind and room not in self._seen:
            self._seen.add(room)
            await self.all.wait()


@pytest.mark.target("R19")
@pytest.mark.parametrize("kind", ["offer", "answer", "ice"])
def test_kill_in_the_middle_of_a_signal(tmp_path, redis, loop, proxy, light, figure, kind: str):
    redis.start()
    redis.forget()
    processes = start_cluster(tmp_path, redis, 2, RATE_LIMITS="0")
    front = proxy([process.port for process in processes])
    pages = light(front.url)
    up = 0
    try:
        for kill in range(KILLS):
            front.hold = mid = Mid(kind, KILLED_PAIRS)
            pages.prepare([f"{kind}-{kill}-{number}" for number in range(KILLED_PAIRS)])
            pages.join()
            loop.run(asyncio.wait_for(mid.all.wait(), HELD_WITHIN_S))
            processes[0].kill()
            start = time.monotonic()
            up += pages.standing(KILLED_PAIRS, seconds=WITHIN_S, since=start)
            # The other one is the next to be killed; this one takes its place.
            processes[0].start()
            processes.reverse()
            front.ports.reverse()
    finally:
        for process in processes:
            process.stop()
    calls = KILLS * KILLED_PAIRS
    signal = {"ice": "candidate"}.get(kind, kind)
    figure(f"{signal}: calls not up within 10 s, of {calls}", calls - up, limit=0)
