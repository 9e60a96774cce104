"""What a room shows of its call is made true again after a failure between the two writes."""

import asyncio

import msgspec
import pytest

from call import signalling
from chat import runtime
from chat.presence.base import Change
from chat.protocol import close_codes
from chat.protocol.messages import Person
from chat.services import rooms
from tests.support.clients.protocol_client import Refusal
from tests.support.patience import PATIENCE


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.HEARTBEAT_INTERVAL_S = 0.2


async def falsify(key, participant, in_call):
    """What a failure between two writes leaves: the room says otherwise than its call."""

    def rule(members):
        return msgspec.structs.replace(members[participant], in_call=in_call)

    await runtime.current().presence.update(f"chat:{key}", participant, rule)


async def shown(client, in_call):
    """Waits until the roster that a newcomer would get says so."""
    async with asyncio.timeout(10 * PATIENCE):
        while [p["in_call"] for p in (await client.ask("people"))["people"]] != in_call:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_somebody_in_the_call_is_shown_in_it_again(enter, join):
    nova = await enter("Nova")
    await join(nova)
    await shown(nova, [True])
    await falsify("room", nova.id, False)
    await shown(nova, [True])


async def test_somebody_who_left_the_call_is_not_shown_in_it(enter, join):
    nova = await enter("Nova")
    call = await join(nova)
    await call.ask("leave_room")
    await falsify("room", nova.id, True)
    await shown(nova, [False])


async def test_somebody_in_a_call_without_being_in_its_room_goes(enter, join, settings):
    settings.PRESENCE_LEASE_S = 2.0
    nova, mira = await enter("Nova"), await enter("Mira")
    nova_call, mira_call = await join(nova), await join(mira)
    # A process that removes somebody from the room, and fails before the call.
    await runtime.current().presence.update("chat:room", mira.id, lambda _: None)
    assert (await nova_call.event("bye"))["person"]["id"] == mira.id
    await mira_call.closing()


async def test_who_comes_back_before_its_loss_is_told_stays_in_the_call(enter, join):
    nova = await enter("Nova")
    call = await join(nova)
    await rooms._on_person_changed(
        "room", Change(Person(nova.id, True, 1, "N", False, True), None, 0, 1)
    )
    await call.ask("people")
    assert list((await signalling.roster().snapshot("room")).members) == [nova.id]


async def test_whoever_was_removed_unnoticed_comes_back_to_the_door(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    # Another process takes her out, and the layer loses the word of it.
    await runtime.current().presence.update("chat:room", mira.id, lambda _: None)
    assert await mira.closing() == close_codes.NORMAL
    await shown(nova, [False])


async def test_a_rename_is_not_granted_while_the_store_has_forgotten_its_owner(enter):
    nova = await enter("Nova")
    presence = runtime.current().presence
    await presence.update("chat:room", nova.id, lambda _: None)
    with pytest.raises(Refusal, match="try_later"):
        await nova.ask("nickname", nickname="Nova Star")
