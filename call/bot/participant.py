"""A participant in Python: enters a room, sends messages, joins the call."""

import asyncio
import logging
import secrets
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from call import protocol as c
from call.bot import room_page
from call.bot.media.recorder import Recorder
from call.bot.media.sources import Moving, Source
from call.bot.media.track_relay import TrackRelay
from call.bot.mesh import Mesh
from call.bot.shutdown import end_all
from call.bot.socket import REFUSED_DELAY_S, RequestRefused, SocketClient, Unreachable
from call.bot.state import MessageLog, RosterReplica
from call.bot.transceivers import Slot
from chat.protocol import messages as m
from chat.protocol.codec import CHAT

TOO_FAST_DELAY_S = 1.0
LEAVE_TIMEOUT_S = 0.5  # for the goodbyes; without one the server waits for the lease

log = logging.getLogger(__name__)


class Participant:
    """Participant in a room and its call, from `async with` to its end.

    It sends `source`, by default a moving picture and a tone, and records what it receives in the
    folder `record`. It reconnects by itself. Raises Unreachable or Refused.
    """

    def __init__(
        self,
        url: str,
        room: str,
        nickname: str = "Anon",
        *,
        source: Source | None = None,
        token: str | None = None,
        record: Path | None = None,
    ) -> None:
        self.url, self.room = url.rstrip("/"), room
        self.nickname, self.id = nickname, ""
        self.source: Source = source or Moving(nickname)
        self.media = self.source.media
        self.recorder = Recorder(record) if record else None
        self._token = token
        self._session = secrets.token_hex(12)
        self._roster: RosterReplica[m.Person] = RosterReplica()
        self._callers: RosterReplica[c.Caller] = RosterReplica()
        self._expected: dict[str, c.Caller] = {}  # unknown to a restarted server
        self._expected_timer: asyncio.TimerHandle | None = None
        self._lease_s = 0.0  # of the server, for lost connections
        self._log = MessageLog()
        self._changed = asyncio.Event()
        self._sockets: list[SocketClient] = []  # of the chat and the call, once they are made
        self._mesh: Mesh | None = None
        self._repair_task: asyncio.Task[None] | None = None

    @property
    def people(self) -> dict[str, m.Person]:
        """Everybody in the room, by id."""
        return self._roster.people

    @property
    def callers(self) -> dict[str, c.Caller]:
        """Everybody in the call, by id."""
        return self._callers.people

    @property
    def messages(self) -> list[m.Message]:
        """The messages that the server has sent, in their order."""
        return self._log.messages

    def frames_received(self, participant_id: str) -> Counter[Slot]:
        """Count the decoded frames of a participant until now, by slot."""
        frames = self._mesh.frames.get(participant_id) if self._mesh else None
        return Counter(frames)

    async def __aenter__(self) -> Self:
        try:
            await self._enter()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.leave()

    async def say(self, text: str) -> m.NewMessageAck:
        """Send a message; return when it is stored, through any loss of connection."""
        message = m.NewMessage(text=text, client_id=str(uuid.uuid4()))
        while True:
            await self._chat.open.wait()
            try:
                return await self._chat.request(message, m.NewMessageAck)
            except Unreachable:
                continue
            except RequestRefused as refusal:
                if refusal.code != "too_fast":
                    raise
                await asyncio.sleep(TOO_FAST_DELAY_S)

    async def set_media(self, *, audio: bool | None = None, video: bool | None = None) -> None:
        """Turn audio or video on or off, without a new negotiation."""
        self.media = c.Media(
            audio=self.media.audio if audio is None else audio,
            video=self.media.video if video is None else video,
            screen=self.media.screen,
        )
        if self._mesh:
            self._mesh.refresh()
        self._changed.set()

    async def ended(self) -> RequestRefused:
        """Wait for a close that forbids a return (removed, room closed); return why."""
        waits = [asyncio.create_task(socket.ended()) for socket in self._sockets]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for wait in waits:
                wait.cancel()

    async def leave(self) -> None:
        """Leave the call and the room, with a goodbye before the connections close."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                for socket in reversed(self._sockets):
                    with suppress(Unreachable, RequestRefused):
                        await socket.request(m.LeaveRoom(), m.EmptyAck)
        await self._stop()

    async def _enter(self) -> None:
        key = self.room
        if self._token is None:
            self.url, key, self._token = await room_page.load(self.url, self.room)
        self._chat = SocketClient(
            self.url,
            f"/ws/chat/{key}/",
            CHAT,
            hello=self._hello,
            on_welcome=self._entered,
            on_event=self._on_event,
        )
        self._call = SocketClient(
            self.url,
            f"/ws/call/{key}/",
            c.CALL,
            hello=self._join,
            on_welcome=self._joined,
            on_event=self._hear_call,
        )
        self._repair_task = asyncio.create_task(self._heal())
        self._sockets = [self._chat, self._call]
        for socket in self._sockets:
            await socket.start()

    async def _stop(self) -> None:
        if self._repair_task:
            self._repair_task.cancel()
        if self._expected_timer:
            self._expected_timer.cancel()
        await end_all(
            *((self.recorder.stop(),) if self.recorder else ()),
            *(socket.stop() for socket in self._sockets),
            *((self._mesh.close(),) if self._mesh else ()),
            self.source.stop(),
        )

    def _hello(self) -> m.WireType:
        return m.EnterRoom(self._token or "", self.nickname, self._log.last, self._log.epoch)

    def _entered(self, answer: m.EnterRoomAck) -> None:
        self.id = answer.you
        self._roster.replace(answer.people, answer.version)
        self._log.begin(answer)
        self.nickname = self.people[self.id].nickname
        self._changed.set()

    def _on_event(self, event: m.WireType) -> None:
        match event:
            case m.NewMessageEvent():
                self._log.add(event)
            case m.DeletedEvent():
                self._log.add(deletions=[event])
            case m.ByeEvent():
                self._roster.remove(event.person, event.version)
            case m.WelcomeEvent() | m.PersonEvent() | m.NicknameEvent():
                self._roster.put(event.person, event.version)
            case m.BeatEvent():
                self._roster.check_version(event.version)
                self._log.head = max(self._log.head, event.seq)
        self._changed.set()

    def _join(self) -> m.WireType:
        return c.JoinRoom(self._token or "", self._session, self.media)

    def _joined(self, answer: c.JoinRoomAck) -> None:
        self._lease_s = answer.timing.lease_s
        self._callers_came(answer)
        # Peers survive a lost socket, because the media never went through it.
        self._mesh = self._mesh or Mesh(
            you=answer.you,
            ice_servers=answer.ice_servers,
            relay_only=answer.relay_only,
            source=self.source,
            sent_media=lambda: self.media,
            send=self._call.post,
            on_connected=self._connected,
            on_error=lambda error: log.warning("%s: %r", self.nickname, error, exc_info=error),
        )
        self._mesh.ice_servers = answer.ice_servers
        self._show_callers()

    def _callers_came(self, answer: c.JoinRoomAck | c.CallPeopleAck) -> None:
        """Keep missing callers for a lease: they may return to a restarted server."""
        named = {caller.id for caller in answer.people}
        before = self._expected | self.callers
        self._expected = {id: caller for id, caller in before.items() if id not in named}
        self._callers.replace(answer.people, answer.version)
        if self._expected_timer:
            self._expected_timer.cancel()
        loop = asyncio.get_running_loop()
        self._expected_timer = loop.call_later(self._lease_s, self._await_no_more)

    def _hear_call(self, event: m.WireType) -> None:
        if self._mesh is None:
            return
        match event:
            case c.OfferEvent() | c.AnswerEvent() | c.IceEvent():
                self._mesh.signal(event)
                return
            case c.IceServersEvent():
                self._mesh.ice_servers = event.ice_servers
                return
            case c.CallByeEvent():
                self._expected.pop(event.person.id, None)
                self._callers.remove(event.person, event.version)
            case c.CallWelcomeEvent() | c.CallPersonEvent() | c.MediaEvent():
                self._expected.pop(event.person.id, None)
                self._callers.put(event.person, event.version)
            case m.BeatEvent():
                self._callers.check_version(event.version)
        self._show_callers()

    def _await_no_more(self) -> None:
        self._expected = {}
        self._show_callers()

    def _show_callers(self) -> None:
        if self._mesh:
            self._mesh.set_callers(self._expected | self.callers)
        self._changed.set()

    def _connected(self, participant_id: str, received: dict[Slot, TrackRelay]) -> None:
        if self.recorder:
            person = self.people.get(participant_id)
            self.recorder.record(person.nickname if person else participant_id, received)

    async def _heal(self) -> None:
        """Request lost entries, and send media that the server does not have.
        After a passing refusal it repeats this soon, after another failure with the next event."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                if self._roster.missing:
                    people = await self._chat.request(m.People(), m.PeopleAck)
                    self._roster.replace(people.people, people.version)
                if self._log.missing:
                    after = m.History(after=self._log.last)
                    self._log.fill(await self._chat.request(after, m.HistoryAck))
                    self._changed.set()
                if self._callers.missing:
                    self._callers_came(await self._call.request(m.People(), c.CallPeopleAck))
                    self._show_callers()
                me = self.callers.get(self.id)
                if me is not None and me.media != self.media:
                    await self._call.request(self.media, m.EmptyAck)
            except RequestRefused as refusal:
                if refusal.is_transient:
                    await asyncio.sleep(REFUSED_DELAY_S)
                    self._changed.set()
            except Unreachable:
                continue
