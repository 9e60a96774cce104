"""People on a machine's Noom: `visitor ADDRESS COUNT`.

Opens COUNT chat sockets with the tokens of their pages, says "here", and when all are closed says
with which codes: a line of JSON, {"4412": 3}. Runs on that machine, with what Noom itself needs.
"""

import asyncio
import json
import re
import sys
from collections import Counter
from contextlib import AsyncExitStack
from urllib.request import urlopen

from tests.support.clients.websocket import Wire

ROOM_DATA = re.compile(r'<script id="room-data" type="application/json">(.*?)</script>', re.DOTALL)
STAY_S = 60.0


def token(address: str) -> str:
    """The token in a page of the room."""
    with urlopen(f"{address}/rooms/operated/", timeout=10) as page:
        found = ROOM_DATA.search(page.read().decode())
    assert found, "a page without room data"
    return str(json.loads(found[1])["token"])


async def visit(address: str, count: int) -> None:
    """Enters `count` times, and stays until the last line of its input."""
    async with AsyncExitStack() as stack:
        wires = []
        for number in range(count):
            wire = Wire(address, "/ws/chat/operated/", token=token(address))
            await stack.enter_async_context(wire)
            await wire.enter(f"Visitor {number}")
            wires.append(wire)
        sys.stdout.write("here\n")
        sys.stdout.flush()
        for wire in wires:
            await wire.closing(STAY_S)
        sys.stdout.write(json.dumps(Counter(str(wire.close_code) for wire in wires)) + "\n")


if __name__ == "__main__":
    asyncio.run(visit(sys.argv[1], int(sys.argv[2])))
