"""Server processes die and stop under load.

Their people move to the other process.
"""

import asyncio
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import closing, suppress

import pytest

from chat.protocol import close_codes
from tests.support.clients.swarm import Guest, Swarm, flickers, percentile, until
from tests.support.figures.verdicts import LEASE_AND_SWEEP_S, record_delivery, until_true
from tests.support.patience import PATIENCE

ROOMS = [f"room-{n}" for n in range(20)]
MESSAGES_PER_S = 20
BEFORE_S = 3.0
CLEAN_REFUSAL_S = 1.0
HUNG_S = 5.0 * PATIENCE
TOLD_S = 1.0
IN_TIME_S = 5.0  # a lease less a late renewal


def lost_since(guests: list[Guest], at: float) -> list[Guest]:
    return [guest for guest in guests if guest.line.losses and guest.line.losses[-1].at >= at]


async def killed_under_load(
    site,
    swarm: Swarm,
    each: int,
    figure,
    *,
    back_s: float,
    others: Sequence[tuple[str, str]] = (),
) -> float:
    """Kill the second process, and return the time by the monotonic clock.

    One guest of each room is at the second process for good and dies with it. `others` are in the
    rooms, too: room and participant.
    """
    victim = site.processes[1]
    staying = await swarm.enter(ROOMS, each - 1)
    dying = await swarm.enter(ROOMS, 1, url=victim.url)
    async with swarm.talking(MESSAGES_PER_S, staying):
        await asyncio.sleep(BEFORE_S)
        for guest in swarm.guests:
            guest.events.clear()
        at = time.monotonic()
        victim.kill()
        await asyncio.gather(*(guest.stop() for guest in dying))
        many = len(staying) / 4
        await until(lambda: len(lost_since(staying, at)) > many, "many to move", seconds=10)
        await asyncio.sleep(0.5)
        moved = lost_since(staying, at)
        all_open = lambda: all(guest.line.open.is_set() for guest in staying)  # noqa: E731
        await until(all_open, "everybody to be back", seconds=30)
        figure("until all were back", max(g.backs[-1] for g in moved) - at, limit=back_s, unit="s")
        true_s = await until_true(staying, at, others)
        figure("until presence was true on all clients", true_s, limit=LEASE_AND_SWEEP_S, unit="s")
        in_time = [guest for guest in moved if guest.backs[-1] - at < IN_TIME_S]
        figure(
            "people back in time who were said to have gone", flickers(staying, in_time), limit=0
        )
    record_delivery(figure, await swarm.judge(staying))
    return at


@pytest.mark.target("R1")
async def test_killed_process_costs_no_message_or_place(site, figure):
    async with Swarm(site.url) as swarm:
        await killed_under_load(site, swarm, 10, figure, back_s=3)


class Handshakes:
    """Repeated connections to a port; counts those neither served nor refused."""

    def __init__(self, port: int) -> None:
        self.hung = 0
        self.refused = 0
        self.longest_s = 0.0
        self._port = port

    async def run(self) -> None:
        while True:
            await asyncio.to_thread(self.once)
            await asyncio.sleep(0.02)

    def once(self) -> None:
        """Try to connect once."""
        request = b"GET /ws/lobby/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with closing(socket.socket()) as client:
            client.settimeout(HUNG_S)
            start = time.monotonic()
            try:
                client.connect(("127.0.0.1", self._port))
                client.sendall(request)
                client.recv(1)
            except TimeoutError:
                self.hung += 1
            except OSError:
                self.refused += 1
            self.longest_s = max(self.longest_s, time.monotonic() - start)


async def terminated(site, swarm: Swarm, number: int, figure) -> None:
    """Stop one process by SIGTERM, and start it again when it has ended."""
    process = site.processes[number]
    there = await swarm.enter([f"alone-{number}-{n}" for n in range(5)], 1, url=process.url)
    staying = [guest for guest in swarm.guests if guest not in there]
    watching = await swarm.enter(
        [guest.key for guest in there], 1, url=site.processes[1 - number].url
    )
    before = {guest.id: len(guest.line.losses) for guest in swarm.guests}
    handshakes = Handshakes(process.port)
    at = time.monotonic()
    process.signal(signal.SIGTERM)
    trying = asyncio.create_task(handshakes.run())
    code = await asyncio.to_thread(process.wait, 20)
    figure("until the process ended", time.monotonic() - at, limit=10, unit="s")
    figure("its exit code", code, limit=0)
    trying.cancel()
    await asyncio.to_thread(handshakes.once)  # it may have ended before the next try
    # It ends before its people have read its last frames.
    await until(lambda: _moved(swarm, before) > len(staying) / 4, "many to move", seconds=10)
    await asyncio.sleep(2 * TOLD_S)
    moved = [guest for guest in swarm.guests if len(guest.line.losses) > before[guest.id]]
    losses = [guest.line.losses[before[guest.id]] for guest in moved]
    figure("until all knew", max(loss.at for loss in losses) - at, limit=TOLD_S, unit="s")
    others = [loss for loss in losses if loss.code != close_codes.RESTARTING]
    print(*others, [guest.state() for guest in moved if guest.line.losses[-1] in others])
    figure("people who were not told to come back", len(others), limit=0)
    figure("handshakes that were neither served nor refused", handshakes.hung, limit=0)
    figure("longest wait of a handshake", handshakes.longest_s, limit=CLEAN_REFUSAL_S, unit="s")
    assert handshakes.refused, "nobody was refused, so the premise failed"
    with suppress(AssertionError):  # the figure shows it
        await until(lambda: all(map(_saw_away, watching)), "the word about the lines", seconds=10)
    untold = [guest for guest in watching if not _saw_away(guest)]
    figure("people whose line was not said to be down", len(untold), limit=0)
    await swarm.dismiss([*there, *watching])
    back = [guest for guest in moved if guest not in there]
    await until(lambda: all(g.line.open.is_set() for g in back), "all to be back", seconds=20)
    gaps = [guest.backs[-1] - guest.line.losses[before[guest.id]].at for guest in back]
    figure("gap of a client (p99)", percentile(gaps, 0.99), limit=2, unit="s")
    process.start()


def _moved(swarm: Swarm, before: dict[str, int]) -> int:
    """Return how many guests have lost a connection since these were counted."""
    return sum(len(guest.line.losses) > before[guest.id] for guest in swarm.guests)


def _saw_away(guest: Guest) -> bool:
    """Return whether an event marked somebody as away."""
    return any(not event.person.here for event in guest.events if hasattr(event, "person"))


async def restarted_under_load(site, swarm: Swarm, figure) -> None:
    """Stop and start one process after the other."""
    staying = await swarm.enter(ROOMS, 10)
    async with swarm.talking(MESSAGES_PER_S, staying):
        await asyncio.sleep(BEFORE_S)
        for number in (0, 1):
            await terminated(site, swarm, number, figure)
    record_delivery(figure, await swarm.judge(staying))


@pytest.mark.target("R3")
async def test_rolling_restart_costs_no_message(site, figure):
    async with Swarm(site.url) as swarm:
        await restarted_under_load(site, swarm, figure)
