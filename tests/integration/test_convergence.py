"""Whatever happens in a room: what everyone has seen equals a newcomer's answer."""

import random
from dataclasses import dataclass, field
from typing import Any

from tests.support.clients.asgi_client import Client


@dataclass
class View:
    """A room as events alone have built it, as a page's `reduce` does."""

    people: dict[str, Any]
    version: int
    messages: dict[int, Any] = field(default_factory=dict)

    def apply(self, event: dict[str, Any]) -> None:
        kind, payload = event["type"], event["payload"]
        if kind == "new_message":
            assert payload["seq"] not in self.messages, "a message came twice"
            self.messages[payload["seq"]] = payload
        elif payload.get("version", 0) > self.version and "person" in payload:
            assert payload["version"] == self.version + 1, "a version was skipped"
            self.version = payload["version"]
            if kind == "bye":
                del self.people[payload["person"]["id"]]
            else:
                self.people[payload["person"]["id"]] = payload["person"]


def view(hello: dict[str, Any]) -> View:
    people = {person["id"]: person for person in hello["people"]}
    return View(people, hello["version"], {m["seq"]: m for m in hello["messages"]})


async def act(dice: random.Random, enter, connect, inside: list[Client], n: int) -> None:
    """One step of somebody: come, go, vanish, return, speak or rename."""
    who = dice.choice(inside)
    match dice.choice(["come", "say", "say", "say", "rename", "leave", "vanish"]):
        case "come":
            inside.append(await enter(f"Person {n}"))
        case "say":
            await who.post(f"message {n}")
        case "rename":
            await who.request("nickname", nickname=f"Renamed {n % 7}")
        case "leave" if len(inside) > 1:
            await who.request("leave_room")
            inside.remove(who)
        case "vanish" if len(inside) > 1:
            await who.close(1006)
            inside.remove(who)
            back = await connect("/ws/chat/room/", token=who.token)
            back.hello = await back.request("enter_room", token=who.token, nickname="Back")
            inside.append(back)


async def test_every_view_converges_to_a_newcomers(enter, connect):
    dice = random.Random(20_261_121)
    witness = await enter("Witness")
    seen = view(witness.hello)
    inside = [await enter("First")]
    for n in range(120):
        await act(dice, enter, connect, inside, n)
    newcomer = await enter("Newcomer")
    expected = view(newcomer.hello)
    while seen.version < expected.version:
        seen.apply(await witness.any_event())
    history = (await newcomer.request("history", after=0, limit=100))["messages"]
    while len(seen.messages) < newcomer.hello["seq"]:
        seen.apply(await witness.any_event())
    assert seen.people == expected.people
    assert [seen.messages[m["seq"]] for m in history] == history
    assert sorted(seen.messages) == list(range(1, newcomer.hello["seq"] + 1))
