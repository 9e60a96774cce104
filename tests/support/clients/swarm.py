"""Many people on chat sockets in one process, who keep what they received.

They reconnect as a page does. Their records show loss, doubles and order.
"""

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count, cycle
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection

from call.bot.socket import RequestRefused, SocketClient, Unreachable
from call.bot.state import MessageLog, RosterReplica
from chat import tokens
from chat.protocol import messages as m
from chat.protocol.codec import CHAT
from tests.support.patience import PATIENCE

AGAIN_S = 1.0  # after a temporary refusal, as static/js/session/outbox.js
AGAIN_CODES = {"too_fast", "try_later"}
ENTERING_AT_ONCE = 50
EVERY_S = 0.05
PEOPLE_PER_ADDRESS = 20
HEAL_S = 15.0  # the next beat shows a loss

_addresses = count()


class Loss(NamedTuple):
    """The loss of a connection.

    `at` is its time by the monotonic clock; code 1006 means none.
    """

    at: float
    code: int | None


class _Line(SocketClient):
    """A connection from an address of its guest's own."""

    losses: list[Loss]
    address: str | None

    @property
    def is_over(self) -> bool:
        """Return whether the server has closed the connection for good."""
        return self._task is not None and self._task.done()

    @property
    def over_with(self) -> str:
        """Return the code of that close."""
        return self._task.result().code if self._task and self._task.done() else ""

    def cut(self) -> None:
        """Lose the connection, as after a change of network."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _connect(self, **options: object) -> ClientConnection:
        own = {"local_addr": (self.address, 0)} if self.address else {}
        return await super()._connect(compression=None, **own, **options)

    async def _come_back(self, code: int | None, reason: str) -> ClientConnection:
        self.losses.append(Loss(time.monotonic(), code))
        return await super()._come_back(code, reason)


class Guest:
    """One person in a room."""

    def __init__(self, url: str, key: str, nickname: str, *, own_address: bool = True) -> None:
        self.key, self.nickname = key, nickname
        self.log, self.roster = MessageLog(), RosterReplica[m.Person]()
        self.acked: dict[str, int] = {}  # the number of each own message, by client_id
        self.backs: list[float] = []  # when an enter_room was answered: first, then each later one
        # When a message arrived as an event, its delay, and its sender.
        self.delays: list[tuple[float, float, str]] = []
        # welcomes, byes and changes of people, in the order of arrival
        self.events: list[m.WireType] = []
        self.beats: list[m.BeatEvent] = []
        self._token = tokens.issue(key=key, browser=uuid.uuid4().hex, room_name=key)
        self.id = tokens.verify(self._token, key=key).participant
        self.line = _Line(
            url,
            f"/ws/chat/{key}/",
            CHAT,
            hello=lambda: m.EnterRoom(self._token, nickname, self.log.last, self.log.epoch),
            on_welcome=self._entered,
            on_event=self._hear,
        )
        self.line.losses = []
        self.line.address = _own_address() if own_address else None
        self._news = asyncio.Event()
        self._healer: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """Enter the room.

        Raises Refused, or Unreachable.
        """
        await self.line.start()
        self._healer = asyncio.create_task(self._heal())

    async def leave(self) -> None:
        """Say goodbye, and close the connection."""
        await self.line.request(m.LeaveRoom(), m.EmptyAck)
        await self.stop()

    async def stop(self) -> None:
        """Close the connection without leaving the room."""
        if self._healer:
            self._healer.cancel()
            with suppress(asyncio.CancelledError):
                await self._healer
        await self.line.stop()

    async def post(self, text: str | None = None) -> int:
        """Write a message, by default the time, and return its number.

        It sends the message until it is acknowledged.
        """
        message = m.NewMessage(text=text or str(time.monotonic()), client_id=new_id())
        while True:
            await self.line.open.wait()
            try:
                ack = await self.line.request(message, m.NewMessageAck)
            except Unreachable:
                # On a socket that has just ended, the error comes without a turn of the loop. The
                # line would never notice the end, and this loop would never end.
                await asyncio.sleep(0)
                continue
            except RequestRefused as refusal:
                if refusal.code not in AGAIN_CODES:
                    raise
                await asyncio.sleep(AGAIN_S)
                continue
            self.acked[message.client_id] = ack.seq
            return ack.seq

    def state(self) -> str:
        """Return the state as text, for the message of a failed test."""
        now = time.monotonic()
        return (
            f"last {self.log.last}, head {self.log.head}, open {self.line.open.is_set()},"
            f" losses {[(round(at - now, 1), code) for at, code in self.line.losses]},"
            f" backs {[round(at - now, 1) for at in self.backs]},"
            f" beats {[(beat.seq, beat.ok) for beat in self.beats[-4:]]},"
            f" healing {self._healer}, reading {self.line._task}"
        )

    def _entered(self, answer: m.EnterRoomAck) -> None:
        self.backs.append(time.monotonic())
        self.roster.replace(answer.people, answer.version)
        self.log.begin(answer)
        self._news.set()

    def _hear(self, event: m.WireType) -> None:
        match event:
            case m.NewMessageEvent():
                self.log.add(event)
                now = time.monotonic()
                with suppress(ValueError):
                    self.delays.append((now, now - float(event.text), event.sender))
            case m.DeletedEvent():
                self.log.add(deletions=[event])
            case m.ByeEvent():
                self.events.append(event)
                self.roster.remove(event.person, event.version)
            case m.WelcomeEvent() | m.PersonEvent():
                self.events.append(event)
                self.roster.put(event.person, event.version)
            case m.BeatEvent(ok=True):
                self.beats.append(event)
                self.roster.check_version(event.version)
                self.log.head = max(self.log.head, event.seq)
            case m.BeatEvent():
                self.beats.append(event)
                return
        if self.roster.missing or self.log.missing:
            self._news.set()

    async def _heal(self) -> None:
        """Repair losses as the page does; repeat a failed repair after an event."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                if self.roster.missing:
                    people = await self.line.request(m.People(), m.PeopleAck)
                    self.roster.replace(people.people, people.version)
                while self.log.missing:
                    missed = m.History(after=self.log.last)
                    self.log.fill(await self.line.request(missed, m.HistoryAck))
            except RequestRefused as refusal:
                if refusal.code in AGAIN_CODES:
                    await asyncio.sleep(AGAIN_S)
                    self._news.set()
            except Unreachable:
                continue


class Verdict(NamedTuple):
    """Outcome of the messages: counts of messages, and of guests with another order."""

    said: int
    lost: int
    doubled: int
    disordered: int


class Swarm:
    """Guests in rooms of one site; `async with` ends their connections."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.guests: list[Guest] = []

    async def __aenter__(self) -> "Swarm":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.dismiss(list(self.guests))

    def invite(
        self, keys: Sequence[str], each: int, *, url: str = "", own_addresses: bool = True
    ) -> list[Guest]:
        """Add `each` guests to each of these rooms, at `url` if given."""
        new = [
            Guest(url or self.url, key, f"P{number}", own_address=own_addresses)
            for number, key in enumerate(list(keys) * each, len(self.guests))
        ]
        self.guests += new
        return new

    async def enter(
        self, keys: Sequence[str], each: int, *, url: str = "", own_addresses: bool = True
    ) -> list[Guest]:
        """Add guests, and wait until they have entered."""
        gate = asyncio.Semaphore(ENTERING_AT_ONCE)

        async def enter(guest: Guest) -> None:
            async with gate:
                await guest.enter()

        new = self.invite(keys, each, url=url, own_addresses=own_addresses)
        await asyncio.gather(*(enter(guest) for guest in new))
        return new

    async def dismiss(self, guests: Iterable[Guest]) -> None:
        """Close the connections of these guests without leaving their rooms."""
        going = list(guests)
        await asyncio.gather(*(guest.stop() for guest in going))
        gone = set(map(id, going))
        self.guests = [guest for guest in self.guests if id(guest) not in gone]

    @asynccontextmanager
    async def talking(
        self, per_second: float, speakers: Sequence[Guest] | None = None
    ) -> AsyncIterator[None]:
        """Write so many messages a second while the block runs, each from another guest.

        At the end it waits until all messages are acknowledged.
        """
        waiting: set[asyncio.Task[int]] = set()

        async def talk() -> None:
            for guest in cycle(speakers or self.guests):
                said = asyncio.create_task(guest.post())
                waiting.add(said)
                await asyncio.sleep(1 / per_second)

        talker = asyncio.create_task(talk())
        try:
            yield
        finally:
            talker.cancel()
            with suppress(asyncio.CancelledError):
                await talker
        async with asyncio.timeout(30 * PATIENCE):
            await asyncio.gather(*waiting)

    async def judge(self, guests: Iterable[Guest] | None = None) -> Verdict:
        """Return the outcome for guests who were there from the beginning."""
        judged = list(self.guests if guests is None else guests)
        acked: dict[str, dict[str, int]] = defaultdict(dict)
        for guest in self.guests:
            acked[guest.key] |= guest.acked
        with suppress(AssertionError):  # the verdict counts what is still missing as lost
            await until(
                lambda: all(not _missed(guest, acked[guest.key]) for guest in judged),
                "everybody to have everything",
                seconds=HEAL_S,
            )
        for guest in judged:
            if missed := _missed(guest, acked[guest.key]):
                print(f"{guest.key}, {guest.nickname} misses {missed}: {guest.state()}")
        texts: dict[tuple[str, int], set[str]] = defaultdict(set)
        doubled = 0
        for guest in judged:
            ids = [message.client_id for message in guest.log.messages]
            doubled += len(ids) - len(set(ids))
            for message in guest.log.messages:
                texts[guest.key, message.seq].add(message.client_id)
        return Verdict(
            said=sum(len(room) for room in acked.values()),
            lost=sum(len(_missed(guest, acked[guest.key])) for guest in judged),
            doubled=doubled,
            disordered=sum(len(ids) > 1 for ids in texts.values()),
        )


def new_id() -> str:
    """Return a client_id."""
    return str(uuid.uuid4())


def roster_mismatches(guests: Iterable[Guest], others: Iterable[tuple[str, str]] = ()) -> list[str]:
    """Return the guests whose roster is not true.

    `guests` and `others` (room and participant) are all the people in the rooms.
    """
    living: dict[str, set[str]] = defaultdict(set)
    everyone = list(guests)
    for key, participant in [*((guest.key, guest.id) for guest in everyone), *others]:
        living[key].add(participant)
    return [
        guest.nickname
        for guest in everyone
        if {person.id for person in guest.roster.people.values() if person.here}
        != living[guest.key]
        or guest.roster.people.keys() != living[guest.key]
    ]


def flickers(guests: Iterable[Guest], who: Iterable[Guest]) -> int:
    """Return how often a kept event said that one of `who` had left or arrived."""
    ids = {guest.id for guest in who}
    events = (event for guest in guests for event in guest.events)
    return sum(isinstance(e, m.ByeEvent | m.WelcomeEvent) and e.person.id in ids for e in events)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    assert values, "nothing was measured"
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def until(check: Callable[[], object], what: str, *, seconds: float) -> None:
    """Wait for a state with a deadline: `seconds` on an idle machine."""
    start = time.monotonic()
    while not check():
        waited_s = time.monotonic() - start
        if waited_s > seconds * PATIENCE:
            raise AssertionError(f"waited {waited_s:.1f} s for {what}")
        await asyncio.sleep(EVERY_S)


def _missed(guest: Guest, acked: dict[str, int]) -> set[tuple[str, int]]:
    return acked.items() - {(one.client_id, one.seq) for one in guest.log.messages}


def _own_address() -> str:
    """Return a loopback address that few guests share, for the limits of an address."""
    number = next(_addresses) // PEOPLE_PER_ADDRESS
    return f"127.{1 + number // 65_000 % 250}.{number // 250 % 250}.{1 + number % 250}"
