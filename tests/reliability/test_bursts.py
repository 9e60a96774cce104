"""Many people at once, and long pauses: no message is lost and no socket closed."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.support.clients.websocket import Wire


@pytest.mark.target("R16")
async def test_burst_of_three_hundred_reaches_fifty_in_order(start_site, figure):
    site = start_site(MESSAGES_PER_S="100", MESSAGES_PER_ADDRESS_PER_S="100")
    async with AsyncExitStack() as stack:
        crowd = []
        for n in range(50):
            process = site.processes[n % 2]
            client = await stack.enter_async_context(Wire(process.url, "/ws/chat/room/"))
            await client.enter(f"P{n}")
            crowd.append(client)
        speaker = crowd[0]
        await asyncio.gather(*(speaker.post(f"{n}") for n in range(300)))
        missing = disordered = 0
        for client in crowd:
            seen = [await client.event("new_message") for _ in range(300)]
            numbers = [message["seq"] for message in seen]
            missing += len(set(range(1, 301)) - set(numbers))
            disordered += numbers != sorted(numbers)
    figure("messages that did not arrive, of 300 to each of 50", missing, limit=0)
    figure("people who got them in another order", disordered, limit=0)


@pytest.mark.target("R17")
async def test_five_hundred_simultaneous_messages_are_acknowledged(site, figure):
    async with AsyncExitStack() as stack:
        crowd: list[Wire] = []
        for start in range(0, 500, 25):  # the server closes a socket that does not enter soon
            for n in range(start, start + 25):
                wire = Wire(site.processes[n % 2].url, f"/ws/chat/room-{n % 20}/")
                crowd.append(await stack.enter_async_context(wire))
            await asyncio.gather(*(wire.enter("P") for wire in crowd[start:]))
        answers = await asyncio.gather(
            *(client.post("now") for client in crowd), return_exceptions=True
        )
        figure("unanswered, of 500", sum(not isinstance(a, dict) for a in answers), limit=0)
        figure("closed, of 500", sum(c.close_code is not None for c in crowd), limit=0)


@pytest.mark.target("R20")
async def test_idle_socket_is_open_after_a_minute(site, figure):
    async with (
        Wire(site.processes[0].url, "/ws/chat/room/") as nova,
        Wire(site.processes[1].url, "/ws/chat/room/") as mira,
    ):
        await nova.enter("Nova")
        await mira.enter("Mira")
        await asyncio.sleep(60)
        closed = [client.close_code for client in (nova, mira) if client.close_code]
        figure("sockets closed after 60 s", len(closed), limit=0)
        await nova.post("still here")
        await mira.event("new_message", text="still here")
