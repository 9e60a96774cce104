"""Attempts of a removed person to come back.

An admin at another process removed her.
"""

import asyncio
import time

import pytest

from tests.support.clients.protocol_client import Refusal
from tests.support.clients.websocket import Wire
from tests.support.servers.cluster import Process

SIGNAL = {"number": 1, "sdp": "v=0"}


@pytest.mark.target("S22")
async def test_removed_participant_receives_no_more_events(cluster, admin, figure):
    async with (
        Wire(cluster[0].url, "/ws/chat/room/") as nova,
        Wire(cluster[1].url, "/ws/chat/room/", browser="hers") as mira,
        Wire(cluster[0].url, "/ws/call/room/", token=nova.token) as nova_call,
        Wire(cluster[1].url, "/ws/call/room/", token=mira.token) as mira_call,
    ):
        await nova.enter("Nova")
        await mira.enter("Mira")
        await nova_call.join("nova-1")
        await mira_call.join("mira-1")
        began = time.monotonic()
        await asyncio.to_thread(admin.post, f"/admin/chat/room/1/remove/{mira.id}/")
        assert await mira.closing() == await mira_call.closing() == 4403
        await nova.event("bye")
        await nova_call.event("bye")
        figure("told and gone", time.monotonic() - began, limit=1, unit="s")
        await nova_call.request("offer", to=mira.id, session="mira-1", description=SIGNAL)
        await nova.post("is she gone?")
        assert mira.waiting("new_message") == []
        assert mira_call.waiting("offer") == []
        returns = 0
        for process in cluster:
            for how in ({"token": mira.token}, {"browser": "hers"}):
                returns += await _enters(process, **how)
        figure("ways back by a token", returns, limit=0)
        assert len(nova.waiting("welcome")) == 2, "her own, and the one of Mira's first visit"


async def _enters(process: Process, **how: str) -> bool:
    async with Wire(process.url, "/ws/chat/room/", **how) as again:
        try:
            await again.enter("Nobody")
        except Refusal as refusal:
            return refusal.code != "removed"
        return True
