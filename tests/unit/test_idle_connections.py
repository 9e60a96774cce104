"""Idle connections of one address: the oldest ends for one too many."""

from functools import partial

from noom_project.server.idle_connections import MAX_IDLE, Idle


def test_idle_connection_over_the_limit_closes_the_oldest():
    idle = Idle()
    ended: list[object] = []
    idle.add("other", "other", partial(ended.append, "other"))
    for n in range(MAX_IDLE + 2):
        idle.add("one", n, partial(ended.append, n))
    assert ended == [0, 1]


def test_connection_that_has_a_request_again_is_not_idle():
    idle = Idle()
    ended: list[object] = []
    for n in range(MAX_IDLE):
        idle.add("one", n, partial(ended.append, n))
    idle.discard("one", 0)
    idle.discard("one", 0)
    idle.add("one", "new", partial(ended.append, "new"))
    assert ended == []
