"""Consumers of the chat and lobby sockets; the rules are in chat/services."""

import asyncio
import logging
from typing import ClassVar

from django.conf import settings
from msgspec import Raw

from chat import tokens
from chat.errors import ConnectionEnded, Outdated, OverBudget, Refused, Unavailable
from chat.protocol import close_codes, codec
from chat.protocol import messages as m
from chat.protocol.codec import CHAT, Endpoint, ProtocolError
from chat.protocol.error_codes import ErrorCode
from chat.protocol.frames import Frame
from chat.realtime.connection import Connection
from chat.realtime.rate_limits import TokenBucket, addresses
from chat.services import room_directory, rooms
from chat.stats import counts
from chat.storage.room_access import SeenUntil
from chat.tokens import BadToken, ParticipantClaims

FIRST_MESSAGE_TIMEOUT_S = 10.0  # without a first message the socket is then closed
OVER_BUDGET_DELAY_S = 1.0  # delay of a refusal to an address or a room that has spent its budget
MAX_BUFFERED_FRAMES = 1_000  # events before the answer to the first message; more are dropped

log = logging.getLogger(__name__)


class RoomConsumer(Connection):
    """Base of the sockets of a room.

    The first message carries a token. Each message gets at most one answer. `on_<type>` handles a
    message and returns the answer. The decoder accepts only the types of the socket, so a client
    cannot call any other method.
    """

    endpoint: ClassVar[Endpoint]
    first_message: ClassVar[type[m.WireType]]
    entered = False
    _first_message_timer: asyncio.TimerHandle | None = None

    async def on_connect(self) -> None:
        self.key = self.scope["url_route"]["kwargs"]["key"]
        self._buffered: list[Frame] = []
        self._bucket = TokenBucket(self.rate())
        if codec.is_current(self.scope["query_string"]):
            self._expect_first_message()
        else:
            self.close(close_codes.OLD_PAGE)

    def rate(self) -> float:
        """Return the average rate of messages that this socket takes, per second."""
        rate: float = settings.MESSAGES_PER_S
        return rate

    @property
    def may_take_long(self) -> bool:
        return not self.entered

    @property
    def log_context(self) -> dict[str, str]:
        return super().log_context | {"room": self.scope["url_route"]["kwargs"]["key"]}

    async def on_message(self, frame: str | bytes | None) -> None:
        ref = None
        try:
            message, ref = self.endpoint.decode(frame)
            if isinstance(message, self.first_message) == self.entered:
                when = "once" if self.entered else "first"
                raise ProtocolError("bad_order", f"{self.first_message.type} comes {when}.", ref)
            if not self.entered and not addresses.first_message(self.address):
                raise Refused("too_fast", "Too many connect from your network; one moment.")
            if self._bucket.take():
                await self._handle(message, ref)
            elif self._bucket.is_flooding:
                self.close(close_codes.FLOODING)
            else:
                raise Refused("too_fast", "Slow down a little.")
        except Exception as error:
            if isinstance(error, OverBudget):
                await asyncio.sleep(OVER_BUDGET_DELAY_S)
            self._answer_error(error, ref)

    def send_frame(self, frame: Frame) -> None:
        # Events may arrive before the answer with the state that they change.
        if self.entered:
            super().send_frame(frame)
        elif len(self._buffered) < MAX_BUFFERED_FRAMES:
            self._buffered.append(frame)

    def identify(self, token: str, connection: int) -> ParticipantClaims:
        """Read the token of a first message, and keep the ids of this connection.

        Raises BadToken.
        """
        found = tokens.verify(token, key=self.key)
        self.id, self.number = found.participant, connection
        return found

    async def on_disconnect(self) -> None:
        self._stop_first_message_timer()

    async def _handle(self, message: m.WireType, ref: int | None) -> None:
        if not self.entered:
            self._stop_first_message_timer()
        answer = await getattr(self, f"on_{message.type}")(message)
        if ref is not None:
            super().send_frame(Frame(codec.ack(ref, answer)))
        if isinstance(message, m.LeaveRoom):
            self.close(close_codes.NORMAL)
        elif isinstance(message, self.first_message):
            self.entered = True
            counts.joins[self.endpoint_name] += 1
            log.info("entered", extra=self.log_context)
            for frame in self._buffered:
                super().send_frame(frame)
            self._buffered.clear()

    def _answer_error(self, error: Exception, ref: int | None) -> None:
        """Answer an error by its kind.

        Errors of people keep the socket open. Errors of protocol close it. The log has errors of
        the server, each with a reference.
        """
        code: ErrorCode
        match error:
            case ConnectionEnded():
                return  # the connection that would receive the answer has ended
            case Outdated():
                self.close(close_codes.REPLACED)
                return
            case Refused():
                code, message, close = error.code, error.message, None
            case Unavailable():
                code, message, close = "try_later", "The server is busy; try again.", None
                self.log_error(error)
            case ProtocolError():
                code, message, close = error.code, error.message, close_codes.BROKEN_CLIENT
                ref = error.ref
                log.info("broken client: %s", error, extra=self.log_context)
            case BadToken():
                code, message, close = "bad_token", "Please reload the page.", close_codes.BAD_TOKEN
            case _:
                reference = self.log_error(error)
                code = "server_error"
                message = f"Something went wrong on the server (reference {reference})."
                close = None if self.entered else close_codes.SERVER_ERROR
        counts.errors[code] += 1
        super().send_frame(Frame(codec.error(ref, code, message)))
        if close is not None:
            self.close(close)
        elif not self.entered:
            self._expect_first_message()

    def _stop_first_message_timer(self) -> None:
        if self._first_message_timer is not None:
            self._first_message_timer.cancel()

    def _expect_first_message(self) -> None:
        self._stop_first_message_timer()
        later = asyncio.get_running_loop().call_later
        self._first_message_timer = later(FIRST_MESSAGE_TIMEOUT_S, self._first_message_timeout)

    def _first_message_timeout(self) -> None:
        self._answer_error(
            ProtocolError("bad_order", f"{self.first_message.type} did not come."), None
        )


class ChatConsumer(RoomConsumer):
    """The chat socket of a room."""

    endpoint_name = "chat"
    endpoint = CHAT
    first_message = m.EnterRoom
    session: rooms.RoomSession
    _claims: ParticipantClaims

    async def on_enter_room(self, message: m.EnterRoom) -> m.WireType:
        self._claims = self.identify(message.token, message.connection)
        self.session, answer = await rooms.enter(
            claims=self._claims,
            nickname=message.nickname,
            seen=SeenUntil(message.last_seq, message.epoch),
            address=self.address,
            connection=self,
        )
        return answer

    async def on_renew_token(self, message: m.RenewToken) -> m.WireType:
        return m.RenewTokenAck(tokens.renew(self._claims))

    async def on_new_message(self, message: m.NewMessage) -> m.WireType:
        return await rooms.post_message(
            self.session, text=message.text, client_id=message.client_id
        )

    async def on_nickname(self, message: m.Nickname) -> m.WireType:
        return m.NicknameAck(await rooms.rename(self.session, nickname=message.nickname))

    async def on_typing(self, message: m.Typing) -> m.WireType:
        rooms.set_typing(self.session, on=message.on)
        return m.EmptyAck()

    async def on_history(self, message: m.History) -> Raw:
        return await rooms.history(
            self.session, before=message.before, after=message.after, limit=message.limit
        )

    async def on_people(self, message: m.People) -> m.WireType:
        counts.repairs["people"] += 1
        return await rooms.list_people(self.key)

    async def on_leave_room(self, message: m.LeaveRoom) -> m.WireType:
        await rooms.leave(self.session)
        return m.EmptyAck()

    async def on_disconnect(self) -> None:
        await super().on_disconnect()
        if self.entered:
            rooms.set_typing(self.session, on=False)
        if self.id:
            await rooms.connection_lost(
                self.key, self, code=self.close_code or close_codes.GOING_AWAY
            )


class LobbyConsumer(Connection):
    """The lobby socket, which carries the list of open rooms."""

    endpoint_name = "lobby"

    async def on_connect(self) -> None:
        await room_directory.current().watch(self)

    async def on_message(self, frame: str | bytes | None) -> None:
        self.close(close_codes.BROKEN_CLIENT)  # the lobby takes no messages

    async def on_disconnect(self) -> None:
        await room_directory.current().unwatch(self)
