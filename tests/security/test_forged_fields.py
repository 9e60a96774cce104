"""Fields that the server owns are never believed, and names of a client call nothing.

The tests use the protocol's own types and the consumers, so new ones are included.
"""

import asyncio
import json
from collections.abc import Iterator
from inspect import get_annotations
from typing import Any

import pytest

from call.consumers import CallConsumer
from chat import tokens
from chat.consumers import ChatConsumer, LobbyConsumer
from noom_project.protocol_writer import SOCKETS
from tests.support.messages import forged as forge
from tests.support.servers import room_under_attack
from tests.support.servers.room_under_attack import SESSION, RecordingSocket, TargetRoom

CONSUMERS = {"chat": ChatConsumer, "call": CallConsumer, "lobby": LobbyConsumer}
# A client may use neither the server's messages to a consumer, nor those of the layer.
FOREIGN = ["websocket.connect", "websocket.receive", "websocket.disconnect", "noom.event", "ack"]


class Caller:
    """A person in the room who opens sockets again and again, as one participant."""

    def __init__(self, room: TargetRoom, name: str) -> None:
        self.url, self.key, self.name = room.there.url, room.key, name
        self.token = tokens.issue(key=room.key, browser=name, room_name="Forged")
        self.id = tokens.verify(self.token, key=room.key).participant

    async def answer(self, socket: str, frame: str, *, entered: bool) -> int | None:
        """Return the code with which a fresh socket is closed after this frame.

        None if it lives.
        """
        path = "/ws/lobby/" if socket == "lobby" else f"/ws/{socket}/{self.key}/"
        async with RecordingSocket(self.url, path, token=self.token) as wire:
            if entered and socket == "chat":
                await wire.enter(self.name)
            if entered and socket == "call":
                await wire.join(self.name)
            await wire.send_raw(frame)
            return await room_under_attack.ending(wire)

    async def forge(self, socket: str, kind: Any, to: str) -> tuple[list[str], list[str]]:
        """Send all forgeries of a message.

        Return those not refused, and the forged values.
        """
        payload = forge.example(kind, token=self.token, to=to, session=SESSION)
        first = kind in (ChatConsumer.first_message, CallConsumer.first_message)
        believed, marks = [], []
        async with RecordingSocket(self.url, f"/ws/chat/{self.key}/", token=self.token) as chat:
            if socket == "call":
                await chat.enter(self.name)
            for forgery in forge.forgeries(kind, payload):
                code = await self.answer(socket, json.dumps(forgery.frame), entered=not first)
                if code not in room_under_attack.REFUSED:
                    believed.append(f"{forgery.where}: {code}")
                marks += forge.marks(forgery.value)
        return believed, marks


def invented_people(heard: list[str], host: str, known: set[str]) -> list[dict[str, Any]]:
    """Return the people in these frames who are made up, or wrongly marked as host."""
    events = [event for text in heard for event in _events(text)]
    people = [event["payload"]["person"] for event in events if "person" in event["payload"]]
    return [
        p for p in people if p["id"] not in known or p.get("host") not in (None, p["id"] == host)
    ]


def _events(text: str) -> list[dict[str, Any]]:
    found = json.loads(text)
    return found if isinstance(found, list) else [found]


@pytest.mark.target("S2")
async def test_forged_value_reaches_no_other_client(cluster, figure):
    async with room_under_attack.room(cluster) as room:
        work = [(socket, kind) for socket in SOCKETS for kind in forge.taken(socket)]
        callers = [Caller(room, f"forger-{n}") for n in range(len(work))]
        results = await asyncio.gather(
            *(one.forge(*what, room.host.id) for one, what in zip(callers, work, strict=True))
        )
        believed = [where for refused, _ in results for where in refused]
        print(*believed)
        marks = [mark for _, forged in results for mark in forged]
        await room.host.post("the last word")
        heard = [
            text for recorder in (room.host, room.host_call, room.lobby) for text in recorder.heard
        ]
        everything = "\n".join(heard)
        assert len(marks) > 1_000
        assert "forger-1" in everything, "nobody was seen at all"
        figure("forged fields that were not refused", len(believed), limit=0)
        figure("forged values seen", sum(mark in everything for mark in marks), limit=0)
        known = {room.host.id, *(one.id for one in callers)}
        figure("people made up", len(invented_people(heard, room.host.id, known)), limit=0)


@pytest.mark.target("S2")
async def test_events_name_their_true_sender(cluster, figure):
    async with (
        room_under_attack.room(cluster) as room,
        RecordingSocket(room.there.url, f"/ws/chat/{room.key}/") as guest,
        RecordingSocket(room.there.url, f"/ws/call/{room.key}/", token=guest.token) as call,
    ):
        await guest.enter("Guest")
        await call.join("guest-session")
        checked, wrong = 0, 0
        for socket, wire, recorder in (("chat", guest, room.host), ("call", call, room.host_call)):
            sent = {kind.type for kind in SOCKETS[socket][1].sends}
            for kind in forge.taken(socket):
                payload = forge.example(kind, token="", to=room.host.id, session=SESSION)
                if kind.type not in sent:
                    continue
                await wire.request(kind.type, **payload)
                event = await recorder.event(kind.type)
                while event.get("from") == room.host.id:  # events of earlier messages
                    event = await recorder.event(kind.type)
                checked += 1
                wrong += (event.get("from") or event["person"]["id"]) != guest.id
                wrong += event.get("session", "guest-session") != "guest-session"
        assert checked >= 7, "new_message, nickname, typing, offer, answer, ice, media"
        figure("events with another sender or session", wrong, limit=0)


def names_of(consumer: type) -> list[str]:
    """Return the names that a client might try to call in a consumer, or through Channels."""
    attributes = {name for cls in consumer.__mro__ for name in (*vars(cls), *get_annotations(cls))}
    bare = {name.removeprefix("on_") for name in attributes if name.startswith("on_")}
    types = {kind.type for kind in forge.all_types()}
    dotted = {name.replace("_", ".") for name in attributes}
    return sorted((attributes | bare | dotted | set(FOREIGN)) - types)


@pytest.mark.target("S4")
@pytest.mark.parametrize("socket", CONSUMERS)
async def test_client_cannot_call_methods_by_name(cluster, figure, socket):
    names = names_of(CONSUMERS[socket])
    assert {"dispatch", "on_disconnect", "send_frame", "close", "on_message"} <= set(names)
    async with room_under_attack.room(cluster) as room:
        caller = Caller(room, "caller")
        async with RecordingSocket(
            room.there.url, f"/ws/chat/{room.key}/", token=caller.token
        ) as chat:
            if socket == "call":
                await chat.enter("Caller")
            bare = [{"type": name, "payload": {}, "ref": 1} for name in names]
            codes = [
                await caller.answer(socket, json.dumps(frame), entered=socket != "lobby")
                for frame in bare
            ]
            codes += [
                await caller.answer(socket, json.dumps(frame), entered=False)
                for name in names
                for frame in with_name(socket, name, caller, room)
            ]
        others = [code for code in codes if code not in room_under_attack.REFUSED]
        figure(f"{socket}: names that were not refused", len(others), limit=0)
        await room.host.post("still here")


def with_name(socket: str, name: str, caller: Caller, room: TargetRoom) -> Iterator[dict[str, Any]]:
    """Return frames with this name as a `type` in the payload of each message."""
    for kind in forge.taken(socket):
        payload = forge.example(kind, token=caller.token, to=room.host.id, session=SESSION)
        yield {"type": kind.type, "payload": {**payload, "type": name}, "ref": 1}


@pytest.mark.target("S4")
async def test_name_in_a_text_is_a_text(cluster, figure):
    names = sorted({name for consumer in CONSUMERS.values() for name in names_of(consumer)})
    async with (
        room_under_attack.room(cluster) as room,
        RecordingSocket(room.there.url, f"/ws/chat/{room.key}/") as guest,
        RecordingSocket(room.there.url, f"/ws/call/{room.key}/", token=guest.token) as call,
    ):
        await guest.enter("Guest")
        await call.join("guest-session")
        changed = 0
        for n, name in enumerate(names, start=1):
            target = {"to": room.host.id, "session": SESSION}
            await guest.post(name)
            await guest.request("nickname", nickname=name)
            await call.request("offer", **target, description={"number": n, "sdp": name})
            await call.request("ice", **target, candidate={"candidate": name, "sdpMid": name})
            changed += (await room.host.event("new_message", text=name))["text"] != name
            changed += (await room.host_call.event("offer"))["description"]["sdp"] != name
            changed += (await room.host_call.event("ice"))["candidate"]["sdpMid"] != name
        figure("texts changed or sockets closed", changed, limit=0)
        assert guest.close_code is call.close_code is room.host.close_code is None
