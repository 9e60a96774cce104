"""Events in the hubs of two processes: when they leave, and with which others."""

import asyncio
import json

import pytest

from chat.protocol import close_codes
from chat.protocol.frames import Frame
from chat.realtime import hub as hubs_module
from chat.realtime.hub import Hub
from noom_project.server.channel_layers import InProcessLayer
from tests.support.patience import PATIENCE

GROUP = "chat.room"


class Listener:
    """A socket that keeps what it receives: of each frame the texts of its events."""

    def __init__(self, name: str) -> None:
        self.id = self.connection_id = name
        self.session_id = f"session of {name}"
        self.received: list[list[str] | int] = []

    def send_frame(self, frame: Frame) -> None:
        events = json.loads(frame.payload)
        self.received.append(
            [e["payload"]["text"] for e in (events if isinstance(events, list) else [events])]
        )

    def close(self, code: int) -> None:
        self.received.append(code)


def event(text: str) -> bytes:
    return json.dumps({"type": "typing", "payload": {"text": text}}).encode()


@pytest.fixture(autouse=True)
def _slow_motion(monkeypatch):
    """Long enough that no pause of this machine makes a busy group a quiet one."""
    for name, seconds in (
        ("OUTBOUND_BATCH_S", 0.1),
        ("INBOUND_BATCH_S", 0.4),
        ("BUSY_WINDOW_S", 60.0),
    ):
        monkeypatch.setattr(hubs_module, name, seconds)


@pytest.fixture
async def hubs():
    """Two processes on one layer, and who listens at each."""
    layer = InProcessLayer()
    here, there = Hub(layer), Hub(layer)
    listeners = Listener("nova"), Listener("mira")
    for hub, listener in zip((here, there), listeners, strict=True):
        await hub.subscribe(GROUP, listener)
    yield here, there, *listeners
    await here.close()
    await there.close()


async def passed() -> None:
    """All that does not wait has been done."""
    for _ in range(20):
        await asyncio.sleep(0)


async def has_come(*listeners: Listener, frames: int) -> None:
    """Waits until each has received so many frames."""
    async with asyncio.timeout(5 * PATIENCE):
        while any(len(listener.received) < frames for listener in listeners):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_quiet_group_delivers_at_once(hubs):
    here, _, nova, mira = hubs
    here.publish(GROUP, event("one"))
    await passed()
    assert nova.received == mira.received == [["one"]]


async def test_busy_group_joins_events_into_one_frame(hubs):
    here, _, nova, mira = hubs
    for text in ("one", "two", "three"):
        here.publish(GROUP, event(text))
        await passed()
    assert nova.received == [["one"]]
    await has_come(nova, mira, frames=2)
    assert nova.received == mira.received == [["one"], ["two", "three"]]


async def test_busy_group_joins_events_of_two_processes(hubs):
    here, there, nova, _ = hubs
    here.publish(GROUP, event("ours"))
    await passed()
    there.publish(GROUP, event("theirs"))
    await passed()
    assert nova.received == [["ours"]]
    here.publish(GROUP, event("ours again"))
    await has_come(nova, frames=2)
    assert nova.received == [["ours"], ["theirs", "ours again"]]


async def test_event_for_one_member_is_not_delayed(hubs):
    here, there, nova, mira = hubs
    for hub in (here, there):
        hub.publish(GROUP, event("all"))
    await passed()
    there.publish(GROUP, event("you"), to=nova.id)
    await passed()
    assert [text for frame in nova.received for text in frame] == ["all", "all", "you"]
    await has_come(mira, frames=2)
    assert [text for frame in mira.received for text in frame] == ["all", "all"]


async def test_signal_reaches_the_session_that_it_names_and_no_other(hubs):
    here, _, nova, mira = hubs
    for session in ("an older one", mira.session_id, None):
        here.publish(GROUP, event(f"for {session}"), to=mira.id, session_id=session)
    await has_come(mira, frames=2)
    await passed()
    assert mira.received == [["for session of mira"], ["for None"]]
    assert nova.received == []


async def test_events_before_a_close_are_delivered(hubs):
    here, there, nova, _ = hubs
    here.publish(GROUP, event("busy now"))
    await passed()
    there.publish(GROUP, event("goodbye"))
    there.disconnect(GROUP, close_codes.ROOM_CLOSED, to=nova.id)
    await has_come(nova, frames=3)
    assert nova.received == [["busy now"], ["goodbye"], close_codes.ROOM_CLOSED]


async def test_garbage_does_not_drop_valid_events(hubs):
    here, _, nova, _ = hubs
    layer = here._layer
    for items in ([[b"{", None, None]], [["x"]], 7):
        message = {"type": "noom.event", "group": GROUP, "by": "nobody", "items": items}
        layer.send_soon(GROUP, lambda _, message=message: message)
    await passed()
    here.publish(GROUP, event("still here"))
    await passed()
    assert nova.received == [["still here"]]


async def test_stopping_hub_sends_its_pending_events(hubs):
    here, _, _, mira = hubs
    here.publish(GROUP, event("one"))
    await passed()
    here.publish(GROUP, event("two"))
    await here.close()
    await has_come(mira, frames=2)
    assert mira.received == [["one"], ["two"]]
