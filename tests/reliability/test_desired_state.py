"""States that people set during a loss of Redis or connection reach every page later."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.support.browsers.headless_callers import LightPages
from tests.support.servers.two_process_site import TwoProcessSite

Fault = Callable[[TwoProcessSite], AbstractContextManager[None]]

PAIRS = 5
AWAY_MS = 3_000
WITHIN_S = 10.0
LONGEST_S = 60.0
ROUNDS = 2  # of the three faults, in each of which ten people set two states


@contextmanager
def redis_killed(site: TwoProcessSite) -> Iterator[None]:
    site.redis.kill()
    yield
    site.redis.start()


@contextmanager
def redis_frozen(site: TwoProcessSite) -> Iterator[None]:
    site.redis.freeze()
    yield
    site.redis.thaw()


@contextmanager
def lines_cut(site: TwoProcessSite) -> Iterator[None]:
    site.cut()
    yield
    site.mend()


FAULTS: list[Fault] = [redis_killed, redis_frozen, lines_cut]


def changed_during(site: TwoProcessSite, pages: LightPages, faults: list[Fault], figure) -> None:
    pages.prepare([f"pair-{number}" for number in range(PAIRS)])
    pages.join()
    assert pages.state_mismatches(seconds=LONGEST_S) == 0, "the premise: everybody sees everybody"
    longest_s, missing = 0.0, 0
    for fault in faults:
        with fault(site):
            pages.change()
            pages.wait(AWAY_MS)
        back = time.monotonic()
        missing += pages.state_mismatches(seconds=LONGEST_S)
        longest_s = max(longest_s, time.monotonic() - back)
    all_states = len(faults) * PAIRS * 2 * 2
    figure(f"states that are not true on another page, of {all_states}", missing, limit=0)
    figure("until all were true after its return", longest_s, limit=WITHIN_S, unit="s")


@pytest.mark.target("D12")
def test_state_set_during_a_fault_reaches_every_page(site, light, figure):
    changed_during(site, light(site.url), FAULTS, figure)


@pytest.mark.target("D12")
@pytest.mark.slow
def test_state_set_during_many_faults_reaches_every_page(site, light, figure):
    changed_during(site, light(site.url), FAULTS * ROUNDS, figure)
