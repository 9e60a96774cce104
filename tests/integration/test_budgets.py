"""The cost of one address, one room and one socket, and its effect on others."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from chat import consumers, runtime
from chat.models import Message
from chat.realtime.budgets import ANSWER_BYTES, Budgets
from chat.storage import database
from chat.storage.room_access import FEW_MESSAGES
from tests.support.clients.protocol_client import DEADLINE_S, Refusal

OTHER = "198.51.100.7"
LONG = "말" * 4_000  # twelve kilobytes
REFILL_S = 5.0  # until a bucket that holds one message is full again


@pytest.fixture(autouse=True)
def _quick_refusals(monkeypatch):
    monkeypatch.setattr(consumers, "OVER_BUDGET_DELAY_S", 0.01)


@pytest.fixture
async def wait():
    """`wait(seconds)`: lets time go on for the budgets of addresses and rooms, where it stands
    still otherwise: a slow machine refills no bucket."""
    now = [0.0]
    runtime.current().budgets = Budgets(lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


async def when_allowed(ask, code):
    """The answer to a question that is repeated while it is refused with a code."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                return await ask()
            except Refusal as refusal:
                if refusal.code != code:
                    raise
            await asyncio.sleep(0.05)


async def stored():
    return await database.query(Message.objects.count)


async def on_and_on(ask):
    async with asyncio.timeout(DEADLINE_S):
        while True:
            await ask()


async def refused(code, question):
    with pytest.raises(Refusal, match=code):
        await question


async def test_answer_of_long_messages_holds_at_most_its_bytes(enter):
    nova = await enter("Nova")
    for _ in range(25):
        await nova.post(LONG)
    seen: list[int] = []
    while len(seen) < 25:
        read = partial(nova.request, "history", after=len(seen), limit=100)
        answer = await when_allowed(read, "too_fast")
        assert sum(len(m["text"].encode()) for m in answer["messages"]) <= ANSWER_BYTES
        seen += [m["seq"] for m in answer["messages"]]
    assert seen == list(range(1, 26))


async def test_history_answer_holds_the_nearest_messages_within_its_bytes(enter):
    nova = await enter("Nova")
    for _ in range(15):
        await nova.post(LONG)
    answer = await nova.request("history", before=15, limit=100)
    numbers = [m["seq"] for m in answer["messages"]]
    assert numbers == list(range(numbers[0], 15))
    assert numbers[0] > 1


async def test_socket_that_reads_too_much_is_refused_for_a_while(enter, settings):
    settings.HISTORY_KB_PER_S = 100
    nova, tess = await enter("Nova"), await enter("Tess")
    await nova.post(LONG)

    async def read():
        return await nova.request("history", after=0)

    await refused("too_fast", on_and_on(read))
    assert await tess.request("history", after=0), "another socket reads"
    assert await nova.post("words cost nothing of it")
    assert await when_allowed(read, "too_fast")


async def test_address_that_reads_too_much_is_refused_on_every_socket(enter, settings, wait):
    settings.HISTORY_KB_PER_ADDRESS_PER_S = 1
    nova, tess = await enter("Nova"), await enter("Tess")
    far = await enter("Far", address=OTHER)
    for _ in range(5):
        await nova.post("x" * 4_000)
    await nova.request("history", after=0)  # a debt of its address
    await refused("too_fast", nova.request("history", after=0))
    await refused("too_fast", tess.request("history", after=0))
    assert await far.request("history", after=0)
    wait(100 * REFILL_S)
    assert await tess.request("history", after=0)


@pytest.mark.usefixtures("wait")
async def test_entering_is_granted_where_no_more_may_be_read(enter, settings):
    settings.HISTORY_KB_PER_ADDRESS_PER_S = 1
    nova = await enter("Nova")
    for number in range(20):
        await nova.post(f"{number}".ljust(1_000))
    await nova.post("the last")
    await nova.request("history", after=0)
    newcomer = await enter("Newcomer")
    last = [m["seq"] for m in newcomer.hello["messages"]]
    assert 0 < len(last) <= FEW_MESSAGES
    assert last[-1] == newcomer.hello["seq"] == 21


@asynccontextmanager
async def busy_historians() -> AsyncIterator[None]:
    """All threads of history are held up."""
    free = threading.Event()
    held = [asyncio.create_task(database.long_query(free.wait)) for _ in range(9)]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        free.set()
        await asyncio.gather(*held)


async def test_entering_and_posting_do_not_wait_for_history(enter):
    nova = await enter("Nova")
    async with busy_historians():
        question = asyncio.create_task(nova.request("history", after=0))
        tess = await enter("Tess")
        assert await tess.post("nobody is in my way")
        assert not question.done()
    assert await question


async def test_address_that_writes_too_fast_is_refused_in_all_its_rooms(enter, settings, wait):
    settings.MESSAGES_PER_ADDRESS_PER_S = 0.2
    nova, tess = await enter("Nova"), await enter("Tess", key="elsewhere")
    far = await enter("Far", address=OTHER)
    await refused("too_fast", on_and_on(lambda: nova.post("more")))
    await refused("too_fast", tess.post("more"))
    assert await far.post("another address writes")
    wait(REFILL_S)
    assert await tess.post("later")


async def test_room_that_fills_too_fast_refuses_every_address(enter, settings, wait):
    settings.MESSAGES_PER_ROOM_PER_S = 0.2
    nova, far = await enter("Nova"), await enter("Far", address=OTHER)
    beside = await enter("Beside", key="elsewhere")
    await refused("too_fast", on_and_on(lambda: nova.post("more")))
    await refused("too_fast", far.post("more"))
    assert await beside.post("another room is written in")
    wait(REFILL_S)
    assert await far.post("later")


@pytest.mark.parametrize("setting", ["MB_PER_ADDRESS_PER_DAY", "MB_PER_ROOM_PER_DAY"])
async def test_daily_byte_limit_refuses_further_messages(enter, settings, setting):
    setattr(settings, setting, 0.03)
    nova = await enter("Nova")
    await nova.post(LONG)
    await nova.post(LONG)
    await refused("too_fast", nova.post(LONG))
    assert await stored() == 2
    assert await nova.post("a short one still fits")


async def test_bytes_that_a_room_refuses_are_not_taken_from_the_address(enter, settings):
    settings.MB_PER_ROOM_PER_DAY = 0.02
    settings.MB_PER_ADDRESS_PER_DAY = 0.03
    nova, beside = await enter("Nova"), await enter("Beside", key="elsewhere")
    await nova.post(LONG)
    for _ in range(5):
        await refused("too_fast", nova.post(LONG))
    assert await beside.post(LONG)


async def test_rooms_of_an_address_are_bounded_and_those_that_exist_open(enter, settings):
    settings.ROOMS_PER_ADDRESS_PER_DAY = 2
    await enter("Nova", key="one")
    await enter("Nova", key="two")
    with pytest.raises(Refusal, match="too_many_rooms"):
        await enter("Nova", key="three")
    assert await enter("Tess", key="two")
    assert await enter("Far", key="three", address=OTHER)
    assert await enter("Nova", key="three")
