"""One guest in each room, in a process of their own.

`python -m tests.support.clients.guest_process URL PER_SECOND KEY…`

The guests live in a process, or in a network, of their own. Together they write PER_SECOND messages
a second. The process prints [room, participant] of each guest when all are in. When its input ends,
it prints [when, delay] of each of their messages that arrived, in seconds of the monotonic clock,
which all processes share. Both outputs are JSON lists.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT

START_S = 30 * PATIENCE


class Guests:
    """The parent's side of such a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.here: list[tuple[str, str]] = []  # room and participant
        self.delays: list[tuple[float, float]] = []  # known when the guests have left

    async def leave(self) -> None:
        output, _ = await self._process.communicate(b"")  # which closes its input
        self.delays = [(at, delay) for at, delay in json.loads(output)]


@asynccontextmanager
async def guests(
    url: str, per_second: float, keys: Sequence[str], *, inside: Sequence[str] = ()
) -> AsyncIterator[Guests]:
    """Start guests in a process of their own.

    `inside` is the beginning of a command that starts it elsewhere.
    """
    command = [
        *inside,
        sys.executable,
        "-m",
        "tests.support.clients.guest_process",
        url,
        str(per_second),
        *keys,
    ]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**20
    )
    assert process.stdout
    try:
        async with asyncio.timeout(START_S):
            entered = json.loads(await process.stdout.readline())
        group = Guests(process)
        group.here = [(key, participant) for key, participant in entered]
        yield group
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def main(url: str, per_second: float, keys: list[str]) -> None:
    from tests.support.clients.swarm import Swarm  # imported after the settings are configured

    loop = asyncio.get_running_loop()
    async with Swarm(url) as swarm:
        await swarm.enter(keys, 1, own_addresses="127." in url)
        print(json.dumps([(guest.key, guest.id) for guest in swarm.guests]), flush=True)
        async with swarm.talking(per_second) if per_second else nullcontext():
            await loop.run_in_executor(None, sys.stdin.read)
        ours = {guest.id for guest in swarm.guests}
        delays = (delay for guest in swarm.guests for delay in guest.delays)
        print(json.dumps([(at, late) for at, late, sender in delays if sender in ours]))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "noom_project.settings")
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3:]))
