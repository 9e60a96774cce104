"""Consumers of the chat and lobby sockets; the rules are in chat/services."""

import asyncio
import logging
from typing import ClassVar

from django.conf import settings
from msgspec import Raw

from chat import tokens
from chat.errors import Crowded, LineEnded, Outdated, Refused, Unavailable
from chat.protocol import close_codes, codec
from chat.protocol import messages as m
from chat.protocol.codec import CHAT, ProtocolError, Socket
from chat.protocol.frames import Frame
from chat.realtime.connection import Line
from chat.realtime.rate_limits import Bucket, addresses
from chat.services import room_directory, rooms
from chat.stats import counts
from chat.storage.room_access import Seen
from chat.tokens import BadToken, Identity

HELLO_DEADLINE_S = 10.0  # without a first message the socket is then closed
CROWDED_S = 1.0  # delay of a refusal to an address or a room that has spent its budget
MAX_HELD_FRAMES = 1_000  # events before the answer to the first message; more are dropped

log = logging.getLogger(__name__)


class RoomConsumer(Line):
    """Base of the sockets of a room.

    The first message carries a token. Each message gets at most one answer. `on_<type>` handles a
    message and returns the answer. The decoder accepts only the types of the socket, so a client
    cannot call any other method.
    """

    socket: ClassVar[Socket]
    first: ClassVar[type[m.Wire]]
    entered = False
    _deadline: asyncio.TimerHandle

    async def connected(self) -> None:
        self.key = self.scope["url_route"]["kwargs"]["key"]
        self._held: list[Frame] = []
        self._bucket = Bucket(self.rate())
        if codec.is_current(self.scope["query_string"]):
            self._expect_first()
        else:
            self.drop(close_codes.OLD_PAGE)

    def rate(self) -> float:
        """Return the average rate of messages that this socket takes, per second."""
        rate: float = settings.MESSAGES_PER_S
        return rate

    @property
    def may_wait(self) -> bool:
        return not self.entered

    @property
    def about(self) -> dict[str, str]:
        return super().about | {"room": self.scope["url_route"]["kwargs"]["key"]}

    async def received(self, frame: str | bytes | None) -> None:
        ref = None
        try:
            message, ref = self.socket.decode(frame)
            self._check_order(message, ref)
            if not self.entered and not addresses.hello(self.address):
                raise Refused("too_fast", "Too many knock from your network; one moment.")
            if self._bucket.take():
                await self._handle(message, ref)
            elif self._bucket.flooding:
                self.drop(close_codes.FLOODING)
            else:
                raise Refused("too_fast", "Slow down a little.")
        except Exception as error:
            if isinstance(error, Crowded):
                await asyncio.sleep(CROWDED_S)
            self._answer_error(error, ref)

    def deliver(self, frame: Frame) -> None:
        # Events may arrive before the answer with the state that they change.
        if self.entered:
            super().deliver(frame)
        elif len(self._held) < MAX_HELD_FRAMES:
            self._held.append(frame)

    def identify(self, token: str, connection: int) -> Identity:
        """Read the token of a first message, and keep the ids of this connection.

        Raises BadToken.
        """
        found = tokens.read(token, key=self.key)
        self.id, self.number = found.participant, connection
        return found

    async def gone(self) -> None:
        if hasattr(self, "_deadline"):
            self._deadline.cancel()

    async def _handle(self, message: m.Wire, ref: int | None) -> None:
        self._deadline.cancel()
        answer = await getattr(self, f"on_{message.type}")(message)
        if ref is not None:
            super().deliver(Frame(codec.ack(ref, answer)))
        if isinstance(message, m.LeaveRoom):
            self.drop(close_codes.NORMAL)
        elif isinstance(message, self.first):
            self.entered = True
            counts.joins[self.kind] += 1
            log.info("entered", extra=self.about)
            for frame in self._held:
                super().deliver(frame)
            self._held.clear()

    def _check_order(self, message: m.Wire, ref: int | None) -> None:
        if isinstance(message, self.first) == self.entered:
            told = "comes once" if self.entered else "comes first"
            raise ProtocolError("bad_order", f"{self.first.type} {told}.", ref)

    def _answer_error(self, error: Exception, ref: int | None) -> None:
        """Answer an error by its kind.

        Errors of people keep the socket open. Errors of protocol close it. The log has errors of
        the server, each with a reference.
        """
        match error:
            case LineEnded():
                return  # the connection that would receive the answer has ended
            case Outdated():
                self.drop(close_codes.REPLACED)
                return
            case Refused():
                code, message, close = error.code, error.message, None
            case Unavailable():
                code, message, close = "try_later", "The server is busy; try again.", None
                self.note(error)
            case ProtocolError():
                code, message, close = error.code, error.message, close_codes.BROKEN_CLIENT
                ref = error.ref
                log.info("broken client: %s", error, extra=self.about)
            case BadToken():
                code, message, close = "bad_token", "Please reload the page.", close_codes.BAD_TOKEN
            case _:
                reference = self.note(error)
                code = "server_error"
                message = f"Something went wrong on the server (reference {reference})."
                close = None if self.entered else close_codes.SERVER_ERROR
        counts.errors[code] += 1
        super().deliver(Frame(codec.error(ref, code, message)))
        if close is not None:
            self.drop(close)
        elif not self.entered:
            self._expect_first()

    def _expect_first(self) -> None:
        if hasattr(self, "_deadline"):
            self._deadline.cancel()
        later = asyncio.get_running_loop().call_later
        self._deadline = later(HELLO_DEADLINE_S, self._too_late)

    def _too_late(self) -> None:
        self._answer_error(ProtocolError("bad_order", f"{self.first.type} did not come."), None)


class ChatConsumer(RoomConsumer):
    """The chat socket of a room."""

    kind = "chat"
    socket = CHAT
    first = m.EnterRoom
    visitor: rooms.Visitor
    _identity: Identity

    async def on_enter_room(self, message: m.EnterRoom) -> m.Wire:
        self._identity = self.identify(message.token, message.connection)
        self.visitor, answer = await rooms.enter(
            identity=self._identity,
            nickname=message.nickname,
            seen=Seen(message.last_seq, message.epoch),
            address=self.address,
            local=self,
        )
        return answer

    async def on_renew_token(self, message: m.RenewToken) -> m.Wire:
        return m.RenewTokenAck(tokens.renew(self._identity))

    async def on_new_message(self, message: m.NewMessage) -> m.Wire:
        return await rooms.say(self.visitor, text=message.text, client_id=message.client_id)

    async def on_nickname(self, message: m.Nickname) -> m.Wire:
        return m.NicknameAck(await rooms.rename(self.visitor, nickname=message.nickname))

    async def on_typing(self, message: m.Typing) -> m.Wire:
        rooms.typing(self.visitor, on=message.on)
        return m.EmptyAck()

    async def on_history(self, message: m.History) -> Raw:
        return await rooms.history(
            self.visitor, before=message.before, after=message.after, limit=message.limit
        )

    async def on_people(self, message: m.People) -> m.Wire:
        counts.repairs["people"] += 1
        return await rooms.who(self.key)

    async def on_leave_room(self, message: m.LeaveRoom) -> m.Wire:
        await rooms.leave(self.visitor)
        return m.EmptyAck()

    async def gone(self) -> None:
        await super().gone()
        if hasattr(self, "visitor"):
            rooms.typing(self.visitor, on=False)
        if self.id:
            await rooms.line_down(self.key, self, code=self.closed_with or close_codes.GOING_AWAY)


class LobbyConsumer(Line):
    """The lobby socket, which carries the list of open rooms."""

    kind = "lobby"

    async def connected(self) -> None:
        await room_directory.current().watch(self)

    async def received(self, frame: str | bytes | None) -> None:
        self.drop(close_codes.BROKEN_CLIENT)  # the lobby takes no messages

    async def gone(self) -> None:
        await room_directory.current().unwatch(self)
