"""The socket of a participant in Python, at a server that says more than it knows."""

import asyncio
import json

from websockets.asyncio.server import ServerConnection, serve

from call.bot.socket import SocketClient
from chat.protocol import messages
from chat.protocol.codec import CHAT

ROOM = {"key": "room", "name": "Room", "listed": True}
ENTERED = {
    "you": "a" * 12,
    "timing": {"beat_s": 5, "lease_s": 15},
    "room": ROOM,
    "people": [],
    "version": 1,
    "messages": [],
    "deletions": [],
    "seq": 0,
    "epoch": "e" * 12,
}
BEAT = {"type": "beat", "payload": {"seq": 0, "version": 1, "ok": True}}


async def speak(socket: ServerConnection) -> None:
    hello = json.loads(await socket.recv())
    await socket.send(json.dumps({"type": "ack", "ref": hello["ref"], "payload": ENTERED}))
    await socket.send(json.dumps([{"type": "of_tomorrow", "payload": {"new": 1}}, BEAT]))
    await socket.wait_closed()


async def test_bot_passes_over_an_event_that_it_does_not_know():
    heard: asyncio.Queue[messages.WireType] = asyncio.Queue()
    async with serve(speak, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        socket = SocketClient(
            f"http://127.0.0.1:{port}",
            "/ws/chat/room/",
            CHAT,
            hello=lambda: messages.EnterRoom(token="t", nickname="Nova"),
            on_welcome=lambda answer: None,
            on_event=heard.put_nowait,
        )
        await socket.start()
        async with asyncio.timeout(30):
            assert isinstance(await heard.get(), messages.BeatEvent)
        await socket.stop()
