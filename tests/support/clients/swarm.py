"""Many people on chat sockets in one process, who come back as the page does and keep what they
saw, so that loss, doubles and order can be judged."""

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count, cycle
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection

from call.bot.socket import Line, Refused, Unreachable
from call.bot.state import Log, Roster
from chat import tokens
from chat.protocol import messages as m
from chat.protocol.codec import CHAT
from tests.support.patience import PATIENCE

AGAIN_S = 1.0  # after a refusal that passes, as static/js/session/outbox.js
AGAIN_CODES = {"too_fast", "try_later"}
ENTERING_AT_ONCE = 50
EVERY_S = 0.05
PEOPLE_PER_ADDRESS = 20
HEAL_S = 15.0  # what got lost is known from the next beat

_addresses = count()


class Loss(NamedTuple):
    """When a line was lost, by the monotonic clock, and the code that closed it (1006: none)."""

    at: float
    code: int | None


class _Line(Line):
    """A line from an address of its guest's own."""

    losses: list[Loss]
    address: str | None

    @property
    def is_over(self) -> bool:
        """The server has told it to stay away."""
        return self._task is not None and self._task.done()

    @property
    def over_with(self) -> str:
        """The code by which it did."""
        return self._task.result().code if self._task and self._task.done() else ""

    def cut(self) -> None:
        """Loses the connection, as on another network."""
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
        self.log, self.roster = Log(), Roster[m.Person]()
        self.acked: dict[str, int] = {}  # the number of each own message, by client_id
        self.backs: list[float] = []  # when an enter_room was answered, first and later ones
        # When a message came as an event, how late, and from whom.
        self.delays: list[tuple[float, float, str]] = []
        self.events: list[m.Wire] = []  # welcomes, byes and changes of people, as they came
        self.beats: list[m.BeatEvent] = []
        self._token = tokens.mint(key=key, browser=uuid.uuid4().hex, room_name=key)
        self.id = tokens.read(self._token, key=key).participant
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
        """Raises Refused, or Unreachable."""
        await self.line.start()
        self._healer = asyncio.create_task(self._heal())

    async def leave(self) -> None:
        """Says goodbye, and goes."""
        await self.line.request(m.LeaveRoom(), m.EmptyAck)
        await self.stop()

    async def stop(self) -> None:
        """Goes without a word to the room."""
        if self._healer:
            self._healer.cancel()
            with suppress(asyncio.CancelledError):
                await self._healer
        await self.line.stop()

    async def say(self, text: str | None = None) -> int:
        """Says something, by default the time; returns its number when it is acknowledged, however
        often it has to be sent."""
        message = m.NewMessage(text=text or str(time.monotonic()), client_id=new_id())
        while True:
            await self.line.open.wait()
            try:
                ack = await self.line.request(message, m.NewMessageAck)
            except Unreachable:
                # On a socket that has just ended it comes without a turn of the loop, in which the
                # line would notice: this would go on for ever.
                await asyncio.sleep(0)
                continue
            except Refused as refusal:
                if refusal.code not in AGAIN_CODES:
                    raise
                await asyncio.sleep(AGAIN_S)
                continue
            self.acked[message.client_id] = ack.seq
            return ack.seq

    def state(self) -> str:
        """For whoever wonders why something is missing."""
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

    def _hear(self, event: m.Wire) -> None:
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
                self.roster.heard(event.version)
                self.log.head = max(self.log.head, event.seq)
            case m.BeatEvent():
                self.beats.append(event)
                return
        if self.roster.missing or self.log.missing:
            self._news.set()

    async def _heal(self) -> None:
        """Asks for what got lost, as the page does; what fails is asked again after an event."""
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
            except Refused as refusal:
                if refusal.code in AGAIN_CODES:
                    await asyncio.sleep(AGAIN_S)
                    self._news.set()
            except Unreachable:
                continue


class Verdict(NamedTuple):
    """What became of what was said: counts of messages, and of guests with another order."""

    said: int
    lost: int
    doubled: int
    disordered: int


class Swarm:
    """Guests in rooms of one site; `async with` sees them off."""

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
        """`each` more guests for each of these rooms, at `url` if it is another."""
        new = [
            Guest(url or self.url, key, f"P{number}", own_address=own_addresses)
            for number, key in enumerate(list(keys) * each, len(self.guests))
        ]
        self.guests += new
        return new

    async def enter(
        self, keys: Sequence[str], each: int, *, url: str = "", own_addresses: bool = True
    ) -> list[Guest]:
        """The same, and they have entered."""
        gate = asyncio.Semaphore(ENTERING_AT_ONCE)

        async def enter(guest: Guest) -> None:
            async with gate:
                await guest.enter()

        new = self.invite(keys, each, url=url, own_addresses=own_addresses)
        await asyncio.gather(*(enter(guest) for guest in new))
        return new

    async def dismiss(self, guests: Iterable[Guest]) -> None:
        """These go, without a word to their rooms."""
        going = list(guests)
        await asyncio.gather(*(guest.stop() for guest in going))
        gone = set(map(id, going))
        self.guests = [guest for guest in self.guests if id(guest) not in gone]

    @asynccontextmanager
    async def talking(
        self, per_second: float, speakers: Sequence[Guest] | None = None
    ) -> AsyncIterator[None]:
        """Somebody else says something so many times a second, until the end, when all that was
        said is acknowledged."""
        waiting: set[asyncio.Task[int]] = set()

        async def talk() -> None:
            for guest in cycle(speakers or self.guests):
                said = asyncio.create_task(guest.say())
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
        """What these guests, who were there from the beginning, have in the end."""
        judged = list(self.guests if guests is None else guests)
        acked: dict[str, dict[str, int]] = defaultdict(dict)
        for guest in self.guests:
            acked[guest.key] |= guest.acked
        with suppress(AssertionError):  # what is missing then is lost
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
    """A client_id."""
    return str(uuid.uuid4())


def untrue(guests: Iterable[Guest], others: Iterable[tuple[str, str]] = ()) -> list[str]:
    """Of these guests, who are all that there are in their rooms but for the others (room and
    participant), those with another roster."""
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
    """How often one of `who` was said to have gone or arrived, of the events that are kept."""
    ids = {guest.id for guest in who}
    told = (event for guest in guests for event in guest.events)
    return sum(isinstance(e, m.ByeEvent | m.WelcomeEvent) and e.person.id in ids for e in told)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    assert values, "nothing was measured"
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def until(check: Callable[[], object], what: str, *, seconds: float) -> None:
    """Waits for a state with a deadline: `seconds` on an idle machine."""
    start = time.monotonic()
    while not check():
        waited_s = time.monotonic() - start
        if waited_s > seconds * PATIENCE:
            raise AssertionError(f"waited {waited_s:.1f} s for {what}")
        await asyncio.sleep(EVERY_S)


def _missed(guest: Guest, acked: dict[str, int]) -> set[tuple[str, int]]:
    return acked.items() - {(one.client_id, one.seq) for one in guest.log.messages}


def _own_address() -> str:
    """A loopback address that not too many share, for the limits of an address."""
    number = next(_addresses) // PEOPLE_PER_ADDRESS
    return f"127.{1 + number // 65_000 % 250}.{number // 250 % 250}.{1 + number % 250}"
