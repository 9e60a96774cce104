"""Send broken frames over sockets of their own, and count the outcomes.

`python -m tests.support.clients.fuzzer URL KEY TOKEN COUNT NUMBER` prints the counts as JSON;
another number gives other frames.
"""

import asyncio
import json
import sys
from collections import Counter
from urllib.parse import urlsplit

import msgspec

from tests.support.clients import raw_websocket
from tests.support.messages import forged
from tests.support.messages.mutations import Mutator
from tests.support.patience import PATIENCE

AT_ONCE = 8
PER_S = 50  # sockets, one each 20 ms: as many as one address may open without a limit
ANSWER_S = 10.0 * PATIENCE
REF = 77
LAST = json.dumps({"type": "people", "payload": {}, "ref": REF})


def seeds(token: str) -> list[str]:
    """Return a good frame of each type."""
    return [
        json.dumps(
            {
                "type": kind.type,
                "payload": forged.example(kind, token=token, to="a" * 12, session="one"),
                "ref": 1,
            }
        )
        for kind in forged.all_types()
    ]


async def one(url: str, path: str, frames: list[str]) -> str:
    """Send these frames and a good one over a fresh socket; return the outcome.

    The outcome is `answered` if the good frame gets an answer, else `closed CODE`, `cut` or
    `silent`.
    """
    target = urlsplit(url)
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    try:
        async with asyncio.timeout(ANSWER_S):
            writer.write(raw_websocket.handshake(url, path))
            await reader.readuntil(b"\r\n\r\n")  # a client sends nothing before it (RFC 6455, 4.1)
            for frame in [*frames, LAST]:
                writer.write(
                    raw_websocket.masked(raw_websocket.TEXT, frame.encode(errors="surrogatepass"))
                )
            return await _end(reader)
    except TimeoutError:
        return "silent"
    except (ConnectionError, asyncio.IncompleteReadError):
        return "cut"
    finally:
        writer.close()


async def _end(reader: asyncio.StreamReader) -> str:
    data = b""
    while part := await reader.read(65_536):
        frames, data = raw_websocket.parse(data + part)
        for frame in frames:
            if frame.opcode == raw_websocket.CLOSE:
                return f"closed {frame.code}"
            if frame.opcode == raw_websocket.TEXT and _answers(frame.payload):
                return "answered"
    return "cut"


def _answers(payload: bytes) -> bool:
    found = msgspec.json.decode(payload)
    return isinstance(found, dict) and found.get("ref") == REF


async def main(url: str, key: str, token: str, count: int, number: int) -> Counter[str]:
    """Run all sockets; half of them have entered before they send their broken frame."""
    good = seeds(token)
    enter, join = good[0], next(seed for seed in good if '"join_room"' in seed)
    mutator = Mutator(good, number)
    found: Counter[str] = Counter()
    free = asyncio.Semaphore(AT_ONCE)

    async def send(n: int, frame: str) -> None:
        socket = ("chat", "call", "chat", "lobby")[n % 4]
        path = "/ws/lobby/" if socket == "lobby" else f"/ws/{socket}/{key}/"
        before = [[], [join], [enter], []][n % 4]
        found[await one(url, path, [*before, frame])] += 1
        free.release()

    now = asyncio.get_running_loop().time
    start = now()
    async with asyncio.TaskGroup() as sending:
        for n in range(count):
            await asyncio.sleep(start + n / PER_S - now())
            await free.acquire()
            sending.create_task(send(n, mutator.next()))
    return found


if __name__ == "__main__":
    import django

    django.setup()
    url, key, token, count, number = sys.argv[1:]
    print(json.dumps(asyncio.run(main(url, key, token, int(count), int(number)))))
