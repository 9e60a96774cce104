"""The server cuts off clients that flood or do not read, and bystanders notice nothing."""

import asyncio
import json
import time
import uuid

import pytest

from chat import tokens as identity
from tests.support.clients import bystanders
from tests.support.clients.flooder import GIVE_UP_S
from tests.support.clients.raw_websocket import CLOSE, TEXT, Raw
from tests.support.clients.websocket import Wire
from tests.support.figures.targets import FIGURES
from tests.support.patience import PATIENCE
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.room_under_attack import WITHOUT_RATE_LIMITS

KEY = "flooded"
PAIRS, ROUNDS, ROUND_S = 8, 10 if FIGURES else 3, 0.5  # more of them for a p99 of bystanders
DEAF, TEXTS, TEXT_CHARS = 10, 1_200, 4_000


def token(name: str) -> str:
    return identity.issue(key=KEY, browser=name, room_name="Flooded")


class Flooder:
    """A client that floods on command, in a process of its own."""

    def __init__(self, url: str, name: str, kind: str) -> None:
        self._process = bystanders.start(
            "tests.support.clients.flooder", url, KEY, token(name), kind
        )

    def ready(self) -> None:
        """Wait until the client has entered."""
        assert self._process.stdout
        assert self._process.stdout.readline() == b"ready\n"

    def flood(self) -> float:
        """Return the seconds for which it could flood."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


@pytest.mark.target("S5")
@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("kind", ["text", "binary", "ping"])
async def test_flood_is_closed_without_effect_on_others(start_process, figure, kind, count):
    noom = start_process()
    async with bystanders.present(noom.url, "beside", pairs=PAIRS) as room:
        floods = [Flooder(noom.url, f"{n}", kind) for n in range(count)]
        delays, cut, before = [], [], 0.0
        for _ in range(ROUNDS):
            for flood in floods:
                await asyncio.to_thread(flood.ready)
            before = before or bystanders.memory_mb(noom)
            ending = asyncio.gather(*(asyncio.to_thread(flood.flood) for flood in floods))
            delays += await room.delays(ROUND_S)
            cut += await ending
        after = bystanders.memory_mb(noom)
        for flood in floods:
            await asyncio.to_thread(flood.close)
        what = f"{count} × {kind}"
        figure(f"{what}: floods that went on", sum(s >= GIVE_UP_S for s in cut), limit=0)
        figure(f"{what}: cut after", max(cut), limit=1, unit="s")
        figure(f"{what}: bystanders' p99", bystanders.p99_ms(delays), limit=20, unit="ms")
        figure(f"{what}: memory", after - before, limit=20, unit="MB")
        assert_no_failure(noom.log)


@pytest.mark.target("S6")
async def test_client_that_does_not_read_is_closed_and_may_return(start_process, figure):
    noom = start_process(**WITHOUT_RATE_LIMITS)
    async with Wire(noom.url, f"/ws/chat/{KEY}/") as speaker:
        await speaker.enter("Speaker")
        deaf = [Raw(noom.url, f"/ws/chat/{KEY}/", buffer=4_096) for _ in range(DEAF)]
        tokens = [token(f"deaf-{n}") for n in range(DEAF)]
        for one, own in zip(deaf, tokens, strict=True):
            hello = {"type": "enter_room", "payload": {"token": own, "nickname": "Deaf"}, "ref": 1}
            one.send(TEXT, json.dumps(hello).encode())
            await speaker.event("welcome")
        before, worst = bystanders.memory_mb(noom), 0.0
        gone: dict[str, float] = {}
        began = time.monotonic()
        watch = asyncio.create_task(_note_lines_that_go_down(speaker, gone))
        for n in range(TEXTS):
            await speaker.post(f"{n} ".ljust(TEXT_CHARS, "x"), client_id=str(uuid.uuid4()))
            worst = max(worst, bystanders.memory_mb(noom) - before)
            if len(gone) == DEAF:
                break
        figure("memory", worst, limit=30, unit="MB")
        async with asyncio.timeout(30 * PATIENCE):
            await watch
        figure("cut after", max(gone.values()) - began, limit=10, unit="s")
        codes = [[f.code for f in one.frames() if f.opcode == CLOSE] for one in deaf]
        for one in deaf:
            one.close()
        back = Wire(noom.url, f"/ws/chat/{KEY}/", token=tokens[0])
        async with back:
            await back.enter("Deaf", last_seq=0)
            # As many as one answer may hold, by their bytes, from the first on and without a gap.
            seqs = [m["seq"] for m in back.hello["messages"]]
            assert seqs
            assert seqs == list(range(1, len(seqs) + 1))
        print(codes)


async def _note_lines_that_go_down(speaker: Wire, gone: dict[str, float]) -> None:
    while len(gone) < DEAF:
        event = await speaker.event("person")
        if not event["person"]["here"]:
            gone.setdefault(event["person"]["id"], time.monotonic())
