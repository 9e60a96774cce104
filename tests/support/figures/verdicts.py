"""Common parts of the fault tests: load, time until recovery, and figures."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

from call.bot.socket import RequestRefused, Unreachable
from chat.protocol import messages as m
from tests.support.clients.protocol_client import Refusal
from tests.support.clients.swarm import Guest, Verdict, new_id, roster_mismatches, until
from tests.support.patience import PATIENCE

ROOMS = [f"room-{n}" for n in range(10)]
LEASE_AND_SWEEP_S = 18.0
ANSWER_S = 2.5
ASK_EVERY_S = 0.2


def record_delivery(figure: Callable[..., None], verdict: Verdict) -> None:
    """Note the figures of the messages."""
    assert verdict.said, "nobody said anything"
    figure("acknowledged messages that somebody misses", verdict.lost, limit=0)
    figure("messages shown twice", verdict.doubled, limit=0)
    figure("numbers that mean another message to somebody", verdict.disordered, limit=0)


def closed(guests: Iterable[Guest]) -> int:
    """Return how many connections these guests have lost."""
    return sum(len(guest.line.losses) for guest in guests)


async def until_true(
    guests: Iterable[Guest], since: float, others: Iterable[tuple[str, str]] = ()
) -> float:
    """Return the seconds from `since` until every guest's roster is true.

    `others` are in the rooms, too.
    """
    everyone = list(guests)
    await until(
        lambda: not roster_mismatches(everyone, others), "the true roster everywhere", seconds=60
    )
    return time.monotonic() - since


async def until_rebuilt(guests: Iterable[Guest], since: float) -> float:
    """Return the seconds from `since` until the server's rosters name everyone."""
    rooms: dict[str, list[Guest]] = defaultdict(list)
    for guest in guests:
        rooms[guest.key].append(guest)
    async with asyncio.timeout(60 * PATIENCE):
        for here in rooms.values():
            while await _asked(here[0]) != {guest.id for guest in here}:  # noqa: ASYNC110
                await asyncio.sleep(ASK_EVERY_S)
    return time.monotonic() - since


async def until_heard(guests: Iterable[Guest], since: float) -> float:
    """Return the seconds from `since` until events reach everybody.

    One guest of each room writes a message, which all guests in it receive within a second. A
    repair after a beat does not count.
    """
    rooms = {guest.key: guest for guest in guests}
    for _ in range(60 * PATIENCE):
        start = time.monotonic()
        await asyncio.gather(*(speaker.post() for speaker in rooms.values()))
        await asyncio.sleep(1)
        if all(guest.delays and guest.delays[-1][0] > start for guest in guests):
            return start - since
    raise AssertionError("events never reached everybody")


async def _asked(guest: Guest) -> set[str]:
    answer = await guest.line.request(m.People(), m.PeopleAck)
    return {person.id for person in answer.people}


async def timed(asking: Awaitable[object]) -> tuple[float, str]:
    """Return the seconds until an answer, and its outcome.

    The outcome is "ok", the code of a refusal, or "nothing".
    """
    start = time.monotonic()
    try:
        await asking
        answer = "ok"
    except (RequestRefused, Refusal) as refusal:
        answer = refusal.code
    except (Unreachable, ConnectionError, TimeoutError):
        answer = "nothing"
    return time.monotonic() - start, answer


class Sends:
    """Messages that are sent once, and their answers."""

    def __init__(self) -> None:
        self._answers: list[tuple[float, str]] = []

    async def of(self, guests: Iterable[Guest]) -> None:
        """Write one message of each guest; return when all are answered."""
        self._answers += await asyncio.gather(*(timed(_send(guest)) for guest in guests))

    def record(self, figure: Callable[..., None]) -> None:
        unreasonable = [a for _, a in self._answers if a not in {"ok", "try_later"}]
        figure("sends without an answer or a reason", len(unreasonable), limit=0)
        longest_s = max(seconds for seconds, _ in self._answers)
        figure("longest wait for the answer to a send", longest_s, limit=ANSWER_S, unit="s")


async def _send(guest: Guest) -> None:
    message = m.NewMessage(text="hello", client_id=new_id())
    ack = await guest.line.request(message, m.NewMessageAck)
    guest.acked[message.client_id] = ack.seq
