"""A room shows its call truly again after a failure between the two writes."""

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
    """A failure between two writes: the room contradicts its call."""

    def rule(members):
        return msgspec.structs.replace(members[participant], in_call=in_call)

    await runtime.current().presence.update(f"chat:{key}", participant, rule)


async def shown(client, in_call):
    """Waits until the roster that a newcomer would get says so."""
    async with asyncio.timeout(10 * PATIENCE):
        while [p["in_call"] for p in (await client.request("people"))["people"]] != in_call:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_caller_marked_as_outside_is_repaired(enter, join):
    nova = await enter("Nova")
    await join(nova)
    await shown(nova, [True])
    await falsify("room", nova.id, False)
    await shown(nova, [True])


async def test_member_marked_as_caller_is_repaired(enter, join):
    nova = await enter("Nova")
    call = await join(nova)
    await call.request("leave_room")
    await falsify("room", nova.id, True)
    await shown(nova, [False])


async def test_caller_outside_the_room_is_removed_from_the_call(enter, join, settings):
    settings.PRESENCE_LEASE_S = 2.0
    nova, mira = await enter("Nova"), await enter("Mira")
    nova_call, mira_call = await join(nova), await join(mira)
    # A process that removes somebody from the room, and fails before the call.
    await runtime.current().presence.update("chat:room", mira.id, lambda _: None)
    assert (await nova_call.event("bye"))["person"]["id"] == mira.id
    await mira_call.closing()


async def test_caller_that_reconnects_before_the_sweep_stays_in_the_call(enter, join):
    nova = await enter("Nova")
    call = await join(nova)
    await rooms._on_person_changed(
        "room", Change(Person(nova.id, True, 1, "N", False, True), None, 0, 1)
    )
    await call.request("people")
    assert list((await signalling.roster().snapshot("room")).members) == [nova.id]


async def test_member_missing_from_presence_is_disconnected(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    # Another process takes her out, and the layer loses the word of it.
    await runtime.current().presence.update("chat:room", mira.id, lambda _: None)
    assert await mira.closing() == close_codes.NORMAL
    await shown(nova, [False])


async def test_rename_is_not_granted_while_the_store_has_forgotten_its_owner(enter):
    nova = await enter("Nova")
    presence = runtime.current().presence
    await presence.update("chat:room", nova.id, lambda _: None)
    with pytest.raises(Refusal, match="try_later"):
        await nova.request("nickname", nickname="Nova Star")
