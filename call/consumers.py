"""Consumer of the call socket; the rules are in call/signalling.py."""

import asyncio

from django.conf import settings

from call import ice_failures, ice_servers, signalling
from call import protocol as m
from chat.consumers import RoomConsumer
from chat.protocol import close_codes, codec
from chat.protocol.frames import Frame
from chat.protocol.messages import EmptyAck, LeaveRoom, People, WireType
from chat.stats import counts


class CallConsumer(RoomConsumer):
    """The call socket of a room."""

    endpoint_name = "call"
    endpoint = m.CALL
    first_message = m.JoinRoom
    session: signalling.CallSession
    _credentials_timer: asyncio.TimerHandle | None = None

    def rate(self) -> float:
        rate: float = settings.SIGNALS_PER_S
        return rate

    async def on_join_room(self, message: m.JoinRoom) -> WireType:
        self.session_id = message.session
        self.session, answer = await signalling.join(
            claims=self.identify(message.token, message.connection),
            session=message.session,
            media=message.media,
            address=self.address,
            connection=self,
        )
        self._schedule_credentials()
        return answer

    async def on_offer(self, message: m.Offer | m.Answer | m.Ice) -> WireType:
        signalling.signal(self.session, message)
        return EmptyAck()

    on_answer = on_ice = on_offer

    async def on_media(self, message: m.Media) -> WireType:
        await signalling.change_media(self.session, message)
        return EmptyAck()

    async def on_ice_failed(self, message: m.IceFailed) -> WireType:
        ice_failures.ice_failed(message, address=self.address, about=self.log_context)
        return EmptyAck()

    async def on_people(self, message: People) -> WireType:
        counts.repairs["callers"] += 1
        return await signalling.list_callers(self.key)

    async def on_leave_room(self, message: LeaveRoom) -> WireType:
        await signalling.leave(self.session)
        return EmptyAck()

    async def on_disconnect(self) -> None:
        await super().on_disconnect()
        if self._credentials_timer:
            self._credentials_timer.cancel()
        if self.id:
            code = self.close_code or close_codes.GOING_AWAY
            await signalling.connection_lost(self.key, self, code=code)

    def _schedule_credentials(self) -> None:
        """Schedule new relay credentials for this socket.

        The server's timer needs no page, whose timers a browser may slow down. It ends with the
        socket, so nobody who was removed from the room receives any more.
        """
        seconds = ice_servers.renewal_s()
        if seconds is not None:
            self._credentials_timer = asyncio.get_running_loop().call_later(
                seconds, self._send_credentials
            )

    def _send_credentials(self) -> None:
        event = signalling.new_ice_servers(self.session)
        self.send_frame(Frame(codec.event(event)))
        self._schedule_credentials()
