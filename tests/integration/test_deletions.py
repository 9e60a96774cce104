"""A deletion reaches the database, open pages, and those who return later."""

import uuid
from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from chat import runtime
from chat.models import Deletion, Message, Room
from chat.protocol import close_codes
from chat.services import moderation
from chat.storage import database, deletions
from tests.support.clients.protocol_client import Refusal

MANY = 2_000


def span(first: int, last: int) -> dict[str, int]:
    return {"first": first, "last": last}


def messages_of(key: str, *seqs: int) -> QuerySet[Message]:
    return Message.objects.filter(room__key=key, seq__in=seqs)


async def fill(key: str, count: int) -> Room:
    """So many messages of nobody who is there."""
    room, _ = await Room.objects.aget_or_create(key=key, defaults={"name": key})
    said = (
        Message(
            room=room,
            seq=room.last_seq + number,
            participant="x" * 12,
            nickname="Away",
            text="said",
            sent_at=timezone.now(),
            client_id=uuid.uuid4(),
        )
        for number in range(1, count + 1)
    )
    await Message.objects.abulk_create(said)
    await Room.objects.filter(pk=room.pk).aupdate(last_seq=room.last_seq + count)
    return room


async def test_deletion_is_a_numbered_event(enter):
    nova, mira = await enter("Nova"), await enter("Mira")
    for text in ("one", "two", "three"):
        await nova.post(text)
    assert await moderation.delete_messages(messages_of("room", 2)) == 1
    for client in (nova, mira):
        assert await client.event("deleted") == {"seq": 4, "spans": [span(2, 2)]}
    assert (await nova.post("four"))["seq"] == 5
    history = await mira.request("history", after=0)
    assert [m["seq"] for m in history["messages"]] == [1, 3, 5]
    assert history["deletions"] == [{"seq": 4, "spans": [span(2, 2)]}]


async def test_beat_names_the_deletion_that_a_page_has_missed(enter, settings):
    settings.HEARTBEAT_INTERVAL_S = 0.1
    nova = await enter("Nova")
    await nova.post("one")
    # No event reaches anybody, as when the layer loses it.
    await deletions.delete_messages(messages_of("room", 1), lambda key, event: None)
    await nova.event("beat", seq=2)
    missed = await nova.request("history", after=1)
    assert missed == {"messages": [], "deletions": [{"seq": 2, "spans": [span(1, 1)]}]}


async def test_resumed_participant_gets_missed_deletions(enter, connect):
    nova = await enter("Nova")
    await nova.post("one")
    await nova.post("two")
    epoch = nova.hello["epoch"]
    await nova.close()
    await moderation.delete_messages(messages_of("room", 1))
    back = await connect("/ws/chat/room/", token=nova.token)
    seen = {"last_seq": 2, "epoch": epoch}
    hello = await back.request("enter_room", token=nova.token, nickname="Nova", **seen)
    assert (hello["messages"], hello["seq"], hello["epoch"]) == ([], 3, epoch)
    assert hello["deletions"] == [{"seq": 3, "spans": [span(1, 1)]}]


async def test_history_stops_where_both_kinds_are_complete(enter):
    nova = await enter("Nova")
    for number in range(1, 5):
        await nova.post(str(number))
        await moderation.delete_messages(messages_of("room", 2 * number - 1))
        await nova.post("between")
    entries = await nova.request("history", after=0, limit=3)
    numbers = [e["seq"] for e in (*entries["messages"], *entries["deletions"])]
    later = await nova.request("history", after=max(numbers), limit=100)
    numbers += [e["seq"] for e in (*later["messages"], *later["deletions"])]
    left = [m.seq async for m in Message.objects.all()]
    left += [d.seq async for d in Deletion.objects.all()]
    assert sorted(numbers) == sorted(left)


async def test_mass_deletion_in_batches_leaves_one_deletion(enter):
    await fill("room", MANY)
    nova = await enter("Nova")
    assert await moderation.clear("room")
    last = await database.query(lambda: Room.objects.get().last_seq)
    assert last > MANY + 1, "it was one piece"
    event = await nova.event("deleted", seq=last)
    assert event["spans"] == [span(1, last - 1)]
    assert [d.seq async for d in Deletion.objects.all()] == [last]
    assert (await nova.post("and on"))["seq"] == last + 1


async def test_scattered_messages_go_with_bounded_deletions(enter):
    await fill("room", 500)
    await enter("Nova")
    odd = Message.objects.filter(seq__in=range(3, 500, 2))
    assert await moderation.delete_messages(odd) == 249
    assert await Message.objects.acount() == 251
    found = [d async for d in Deletion.objects.all()]
    assert max(len(d.spans) for d in found) <= deletions.MAX_SPANS
    gone = {seq for d in found for first, last in d.spans for seq in range(first, last + 1)}
    assert gone >= set(range(3, 500, 2))


async def test_messages_beyond_the_retention_time_go_from_open_pages(enter, settings):
    nova = await enter("Nova")
    for text in ("old", "new"):
        await nova.post(text)
    old = timezone.now() - timedelta(days=settings.RETENTION_DAYS + 1)
    await messages_of("room", 1).aupdate(sent_at=old)
    await runtime.current()._delete_expired()
    assert (await nova.event("deleted"))["spans"] == [span(1, 1)]
    assert [m.text async for m in Message.objects.all()] == ["new"]


async def test_deleted_room_loses_all_its_rows(enter):
    await fill("room", MANY)
    nova, other = await enter("Nova"), await enter("Mira", "other")
    assert await moderation.delete("room")
    assert await nova.closing() == close_codes.ROOM_CLOSED
    assert await Message.objects.acount() == 0
    assert [room.key async for room in Room.objects.all()] == ["other"]
    assert (await other.post("still here"))["seq"] == 1


async def test_room_under_deletion_refuses_entries_and_messages(enter):
    nova = await enter("Nova")
    assert await deletions.mark_room("room")
    with pytest.raises(Refusal, match="room_closed"):
        await nova.post("too late")
    with pytest.raises(Refusal, match="room_closed"):
        await enter("Late")
    await moderation.reopen("room")
    with pytest.raises(Refusal, match="room_closed"):
        await enter("Late")
    assert await Message.objects.acount() == 0


async def test_next_process_finishes_a_broken_off_deletion(enter):
    room = await fill("room", MANY)
    await deletions.mark_room("room")
    await enter("Nova", "other")
    await runtime.current()._delete_expired()
    assert not await Room.objects.filter(pk=room.pk).aexists()
    assert (await enter("Mira")).hello["messages"] == []


async def test_room_made_again_has_another_epoch_and_nothing_of_before(enter, connect):
    nova = await enter("Nova")
    for text in ("one", "two"):
        await nova.post(text)
    before = nova.hello["epoch"]
    await moderation.delete("room")
    await nova.closing()
    mira = await enter("Mira", browser="hers")
    for text in ("other one", "other two", "other three"):
        await mira.post(text)
    back = await connect("/ws/chat/room/", token=nova.token)
    seen = {"last_seq": 2, "epoch": before}
    hello = await back.request("enter_room", token=nova.token, nickname="Nova", **seen)
    assert hello["epoch"] == mira.hello["epoch"] != before
    assert [m["text"] for m in hello["messages"]] == ["other one", "other two", "other three"]
