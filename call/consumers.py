"""Consumer of the call socket; the rules are in call/signalling.py."""

import asyncio

from django.conf import settings

from call import ice_failures, ice_servers, signalling
from call import protocol as m
from chat.consumers import RoomConsumer
from chat.protocol import close_codes, codec
from chat.protocol.frames import Frame
from chat.protocol.messages import EmptyAck, LeaveRoom, People, Wire
from chat.stats import counts


class CallConsumer(RoomConsumer):
    """The call socket of a room."""

    kind = "call"
    socket = m.CALL
    first = m.JoinRoom
    member: signalling.CallMember
    _renewal: asyncio.TimerHandle | None = None

    def rate(self) -> float:
        rate: float = settings.SIGNALS_PER_S
        return rate

    async def on_join_room(self, message: m.JoinRoom) -> Wire:
        self.member, answer = await signalling.join(
            identity=self.identify(message.token, message.connection),
            session=message.session,
            media=message.media,
            address=self.address,
            local=self,
        )
        self._renew_later()
        return answer

    async def on_offer(self, message: m.Offer) -> Wire:
        return await self._signal(message)

    async def on_answer(self, message: m.Answer) -> Wire:
        return await self._signal(message)

    async def on_ice(self, message: m.Ice) -> Wire:
        return await self._signal(message)

    async def on_media(self, message: m.Media) -> Wire:
        await signalling.change_media(self.member, message)
        return EmptyAck()

    async def on_ice_failed(self, message: m.IceFailed) -> Wire:
        ice_failures.ice_failed(message, address=self.address, about=self.about)
        return EmptyAck()

    async def on_people(self, message: People) -> Wire:
        counts.repairs["callers"] += 1
        return await signalling.who(self.key)

    async def on_leave_room(self, message: LeaveRoom) -> Wire:
        await signalling.leave(self.member)
        return EmptyAck()

    async def gone(self) -> None:
        await super().gone()
        if self._renewal:
            self._renewal.cancel()
        if self.id:
            code = self.closed_with or close_codes.GOING_AWAY
            await signalling.line_down(self.key, self, code=code)

    async def _signal(self, message: m.Offer | m.Answer | m.Ice) -> Wire:
        await signalling.signal(self.member, message)
        return EmptyAck()

    def _renew_later(self) -> None:
        """Schedule new relay credentials for this socket.

        The server's timer needs no page, whose timers a browser may slow down. It ends with the
        socket, so nobody who was removed from the room receives any more.
        """
        seconds = ice_servers.renewal_s()
        if seconds is not None:
            self._renewal = asyncio.get_running_loop().call_later(seconds, self._renew)

    def _renew(self) -> None:
        event = signalling.new_ice_servers(self.member)
        self.deliver(Frame(codec.event(event)))
        self._renew_later()
