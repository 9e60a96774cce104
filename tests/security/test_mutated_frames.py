"""Broken frames by the hundred thousand: only their sender receives an error."""

import json
from collections import Counter

import pytest

from call.protocol import CALL
from chat import tokens
from chat.protocol.codec import CHAT, LOBBY, ProtocolError
from tests.support.clients import bystanders
from tests.support.clients.fuzzer import seeds
from tests.support.messages.mutations import Mutator
from tests.support.servers.cluster import Process
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.production import as_operated
from tests.support.servers.room_under_attack import WITHOUT_RATE_LIMITS

KEY = "fuzzed"
ENOUGH, ALL = 100_000, 1_000_000
ENOUGH_SOCKETS, ALL_SOCKETS = 1_000, 50_000
WHOLE = pytest.mark.slow
# Quiet and broken phases alternate, so that other load of the machine weighs on both.
ROUND = 2_500
QUIET_S = 5
HEALTHY_ENDS = {
    "answered",
    "closed 4400",
    "closed 4401",
    "closed 1000",
    "closed 1007",
    "closed 4409",
    "cut",  # a pong of the client reaches a closed socket, and the kernel drops the close frame
}


@pytest.mark.target("S1")
@pytest.mark.parametrize("count", [ENOUGH, pytest.param(ALL, marks=WHOLE)])
def test_mutated_frame_is_decoded_or_refused(figure, count):
    token = tokens.issue(key=KEY, browser="b", room_name="Fuzzed")
    mutator = Mutator(seeds(token), number=count)
    ends: Counter[str] = Counter()
    for n in range(count):
        frame = mutator.next()
        try:
            (CHAT, CALL, CHAT, LOBBY)[n % 4].decode(frame)
            ends["decoded"] += 1
        except ProtocolError as error:
            ends[error.code] += 1
        except Exception as error:
            ends[f"uncaught {error!r} for {frame[:200]!r}"] += 1
    uncaught = [end for end in ends if end.startswith("uncaught")]
    assert not uncaught, uncaught[0]
    assert min(ends[code] for code in ("decoded", "bad_frame", "bad_payload", "unknown_type")) > 50
    figure("exceptions in the decoder", len(uncaught), limit=0)


@pytest.mark.target("S1")
@pytest.mark.timeout(1_500)
@pytest.mark.parametrize("count", [ENOUGH_SOCKETS, pytest.param(ALL_SOCKETS, marks=WHOLE)])
async def test_mutated_frame_affects_only_its_sender(start_process, figure, count):
    noom: Process = start_process(**WITHOUT_RATE_LIMITS, **as_operated())
    token = tokens.issue(key=KEY, browser="fuzzer", room_name="Fuzzed")
    quiet: list[float] = []
    busy: list[float] = []
    ends: Counter[str] = Counter()
    async with bystanders.present(noom.url, "beside", pairs=8) as room:
        quiet += await room.delays(QUIET_S)
        before = bystanders.memory_mb(noom)
        for number in range(max(1, count // ROUND)):
            this = str(min(count, ROUND))
            fuzzer = bystanders.start(
                "tests.support.clients.fuzzer", noom.url, KEY, token, this, str(number)
            )
            busy += await room.delays_during(fuzzer)
            ends += Counter(json.loads(fuzzer.communicate()[0]))
            quiet += await room.delays(QUIET_S)
        assert sum(ends.values()) == count
        odd = {end: n for end, n in ends.items() if end not in HEALTHY_ENDS}
        figure("frames without an answer or a close", sum(odd.values()), limit=0)
        assert_no_failure(noom.log)
        figure("memory", bystanders.memory_mb(noom) - before, limit=20, unit="MB")
        if count == ALL_SOCKETS:  # fewer are too few for a ratio of p99s
            ratio = bystanders.p99_ms(busy) / bystanders.p99_ms(quiet)
            figure("bystanders' p99, by what it was", ratio, limit=2, unit="×")
