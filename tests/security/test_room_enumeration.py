"""A guest outside a room cannot tell whether it exists, is closed, or was never there."""

import re
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed

from chat.names import keys
from tests.support.clients.admin_client import Admin
from tests.support.clients.protocol_client import Refusal
from tests.support.clients.swarm import until
from tests.support.clients.websocket import Wire
from tests.support.patience import PATIENCE

MADE, SECOND, ABSENT, CLOSED = (keys.unlisted_key("one") for _ in range(4))
DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT")
# Values that differ in each request.
ONCE = re.compile(r'("token": |"reference": |value=|nonce=|noom_browser=|csrftoken=)"?[^"; ]+"?')


def seen(url: str, key: str) -> str:
    """Return all that a fresh browser gets of a room's page, without the room's key."""
    target = urlsplit(url)
    line = HTTPConnection(str(target.hostname), target.port, timeout=30 * PATIENCE)
    line.request("GET", f"/rooms/{key}/", headers={"Accept": "text/html"})
    answer = line.getresponse()
    page = answer.read().decode()
    line.close()
    whole = f"{answer.status}\n{sorted(answer.getheaders())}\n{page}".replace(key, "KEY")
    return ONCE.sub(r"\1", DATE.sub("DATE", whole))


async def of_sockets(url: str, key: str) -> list[object]:
    """Return the frames and the ends of the room's sockets for a guest who has not entered."""
    found: list[object] = []
    for kind in ("chat", "call"):
        path = f"/ws/{kind}/{key}/"
        for ask in ("people", "new_message", "enter_room", "join_room", "nothing"):
            if (kind, ask) == ("chat", "enter_room"):
                continue  # these messages enter the room
            async with Wire(url, path) as wire:
                if ask != "nothing":
                    payload = wire.joining("one") if ask == "join_room" else {}
                    await wire.send(ask, **payload)
                    await until(partial(_is_answered, wire), f"an answer to {ask}", seconds=5)
                found += [kind, ask, await _end(wire), wire.waiting("error")]
    return found


def _is_answered(wire: Wire) -> bool:
    return bool(wire.waiting("error")) or wire.close_code is not None


async def _end(wire: Wire) -> int | None:
    """Return the code of the close that follows.

    None if a ping gets an answer instead.
    """
    try:
        await wire.ping()
    except ConnectionClosed:
        return await wire.closing()
    return None


@pytest.mark.target("S21")
async def test_existing_room_looks_like_a_missing_one_before_entry(start_process, figure):
    noom = start_process()
    admin = Admin(noom)
    for key in (MADE, SECOND, CLOSED):
        async with Wire(noom.url, f"/ws/chat/{key}/") as wire:
            await wire.enter("Nova")
    found = admin.get(f"/admin/chat/room/?q={CLOSED}")
    pk = re.findall(r'name="_selected_action" value="(\d+)"', found)
    assert len(pk) == 1, "the room is not in the admin"
    admin.post("/admin/chat/room/", action="close_rooms", _selected_action=pk[0])
    async with Wire(noom.url, f"/ws/chat/{CLOSED}/") as wire:
        with pytest.raises(Refusal, match="room_closed"):
            await wire.enter("Nova")
    pages = {seen(noom.url, key) for key in (MADE, SECOND, ABSENT, CLOSED)}
    figure("pages that tell rooms apart", len(pages) - 1, limit=0)
    ends = [await of_sockets(noom.url, key) for key in (MADE, SECOND, ABSENT, CLOSED)]
    figure("sockets that tell rooms apart", sum(end != ends[0] for end in ends), limit=0)
