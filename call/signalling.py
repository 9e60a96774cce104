"""The service of calls: join, leave, media and signals."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from django.conf import settings

from call import ice_servers, relay_filter
from call.protocol import (
    Answer,
    AnswerEvent,
    CallByeEvent,
    Caller,
    CallPeopleAck,
    CallPersonEvent,
    CallWelcomeEvent,
    Ice,
    IceEvent,
    IceServersEvent,
    JoinRoomAck,
    Media,
    MediaEvent,
    Offer,
    OfferEvent,
)
from chat import runtime
from chat.errors import Refused
from chat.presence.place_types import PlaceType, register
from chat.presence.roster import JoiningConnection, Roster
from chat.protocol.messages import Member, Timing, WireType
from chat.realtime.hub import Subscriber
from chat.realtime.rate_limits import addresses
from chat.services import call_status, rooms
from chat.tokens import ParticipantClaims

TOPOLOGY = "mesh"
# A page opens the sockets of room and call at once. The call's waits so long for the room's.
ENTRY_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class CallSession:
    """A participant in a call, as its socket's process knows it."""

    id: str
    key: str
    session: str
    relay_name: str
    connection: Subscriber


CALLERS = register(
    PlaceType(
        "call",
        Caller,
        welcome=CallWelcomeEvent,
        bye=CallByeEvent,
        changed=CallPersonEvent,
        on_change=call_status.call_changed,
    )
)


def roster() -> Roster:
    """Return the roster of calls."""
    return runtime.current().roster(CALLERS)


async def join(
    *,
    claims: ParticipantClaims,
    session: str,
    media: Media,
    address: str,
    connection: JoiningConnection,
) -> tuple[CallSession, JoinRoomAck]:
    """Let a participant of a room into its call, or back into it.

    Raises Refused if the participant has not entered the room, or the call is full.
    """
    me, key = claims.participant, claims.key
    with addresses.waiting(address) as may_wait:
        timeout_s = ENTRY_TIMEOUT_S if may_wait else 0.0
        found = await rooms.roster().await_member(key, me, timeout_s=timeout_s)
    if found is None:
        raise Refused("not_in_room", "Enter the room first.")

    def transition(members: Mapping[str, Member]) -> Member:
        return _joined(members, me, session, media)

    change = await roster().enter(key=key, connection=connection, transition=transition)
    relay_name = ice_servers.relay_names.name(browser=claims.browser, address=address)
    ack = JoinRoomAck(
        you=me,
        timing=Timing(settings.HEARTBEAT_INTERVAL_S, settings.PRESENCE_LEASE_S),
        people=_callers(change.members),
        ice_servers=ice_servers.servers(relay_name),
        relay_only=settings.ICE_RELAY_ONLY,
        topology=TOPOLOGY,
        version=change.version,
        capacity=settings.CALL_CAPACITY,
    )
    return CallSession(me, key, session, relay_name, connection), ack


def _joined(members: Mapping[str, Member], me: str, session: str, media: Media) -> Caller:
    """The record of a participant who joins. Raises Refused if the call is full."""
    before = members.get(me)
    if before is None and len(members) >= settings.CALL_CAPACITY:
        raise Refused("call_full", "The call is full.")
    # A page that comes back with its session keeps `since`, which decides who is polite.
    same = isinstance(before, Caller) and before.session == session
    since = before.since if before is not None and same else int(time.time() * 1000)
    return Caller(id=me, here=True, since=since, session=session, media=media)


def new_ice_servers(session: CallSession) -> IceServersEvent:
    """Return the ICE servers of a caller with new relay credentials."""
    return IceServersEvent(ice_servers=ice_servers.servers(session.relay_name))


async def leave(session: CallSession) -> None:
    """Remove a participant from the call at once."""
    await roster().leave_by(session.key, session.connection)


async def connection_lost(key: str, local: Subscriber, *, code: int) -> None:
    """Handle the end of a connection, also of one that was still joining."""
    await roster().connection_lost(key, local, code=code)


async def change_media(session: CallSession, media: Media) -> None:
    """Publish which media a caller sends from now on."""

    def transition(members: Mapping[str, Member]) -> Member | None:
        caller = members.get(session.id)
        return None if caller is None else msgspec.structs.replace(caller, media=media)

    await roster().change(session.key, session.id, transition, MediaEvent, by=session.connection)


def signal(session: CallSession, message: Offer | Answer | Ice) -> None:
    """Send a signal to the caller and the session that it names.

    It goes through the group of the sender's own call, so it reaches nobody outside. The target's
    process drops a signal for an ended session. With ICE_RELAY_ONLY a candidate that does not lead
    over the relay is dropped too.
    """
    passed = relay_filter.clean(message) if settings.ICE_RELAY_ONLY else message
    if passed is not None:
        event = _event(session, passed)
        roster().publish(session.key, event, to=message.to, session_id=message.session)


async def list_callers(key: str) -> CallPeopleAck:
    """Return everybody in a call."""
    snapshot = await roster().snapshot(key)
    return CallPeopleAck(people=_callers(snapshot.members), version=snapshot.version)


def _event(member: CallSession, message: Offer | Answer | Ice) -> WireType:
    match message:
        case Offer():
            return OfferEvent(member.id, member.session, message.description)
        case Answer():
            return AnswerEvent(member.id, member.session, message.description)
        case Ice():
            return IceEvent(member.id, member.session, message.candidate)


def _callers(members: Mapping[str, Member]) -> list[Caller]:
    return [member for member in members.values() if isinstance(member, Caller)]
