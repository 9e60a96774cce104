"""The journal: what is wrong with one entry, or one room's row, harms no other."""

import asyncio
import uuid

import pytest
from msgspec.structs import asdict

from chat.models import Message as Row
from chat.models import Room
from chat.protocol.messages import Message
from chat.storage import deletions
from chat.storage.journal import Journal, RoomGone


async def room(key: str) -> Room:
    return await Room.objects.acreate(key=key, name=key)


@pytest.fixture
def append():
    """`append(room_id, text)`: writes to one journal, whose group grows until the loop is free."""
    one = Journal()

    def append(room_id: int, text: str, client_id: str = ""):
        return one.append(
            room_id=room_id,
            participant="x" * 12,
            nickname="Nova",
            text=text,
            client_id=client_id or str(uuid.uuid4()),
            publish=lambda message: None,
        )

    return append


async def texts(room: Room) -> list[str]:
    return [m.text async for m in room.messages.all()]


async def test_entry_of_a_deleted_room_fails_without_the_batch(append):
    gone, kept = await room("gone"), await room("kept")
    await gone.adelete()
    results = await asyncio.gather(
        append(kept.pk, "one"),
        append(gone.pk, "lost"),
        append(kept.pk, "two"),
        return_exceptions=True,
    )
    assert [isinstance(one, Message) for one in results] == [True, False, True]
    assert isinstance(results[1], RoomGone)
    assert await texts(kept) == ["one", "two"]


async def test_entry_refused_by_the_database_fails_without_the_batch(append):
    kept, other = await room("kept"), await room("other")
    bad = "not-a-uuid"
    results = await asyncio.gather(
        *(append(kept.pk, f"{n}", bad if n == 3 else "") for n in range(8)),
        append(other.pk, "elsewhere"),
        return_exceptions=True,
    )
    assert [n for n, one in enumerate(results) if isinstance(one, Exception)] == [3]
    assert await texts(kept) == ["0", "1", "2", "4", "5", "6", "7"]
    assert await texts(other) == ["elsewhere"]


async def test_repeated_message_beside_a_failed_entry_is_stored_once(append):
    kept = await room("kept")
    again = str(uuid.uuid4())
    first = await append(kept.pk, "once", again)
    results = await asyncio.gather(
        append(kept.pk, "once", again),
        append(kept.pk, "bad", "not-a-uuid"),
        append(kept.pk, "twice"),
        return_exceptions=True,
    )
    assert isinstance(results[0], Message)
    assert asdict(results[0]) == asdict(first)
    assert isinstance(results[1], Exception)
    assert await texts(kept) == ["once", "twice"]


@pytest.mark.parametrize("behind", [0, 1, 4])
async def test_stale_last_number_is_repaired_by_the_next_message(append, behind):
    damaged = await room("damaged")
    for number in range(5):
        await append(damaged.pk, str(number))
    await Room.objects.filter(pk=damaged.pk).aupdate(last_seq=behind)
    await Row.objects.filter(seq__in=(2, 3)).adelete()
    assert (await append(damaged.pk, "next")).seq == 6
    await damaged.arefresh_from_db()
    assert damaged.last_seq == 6


async def test_row_that_is_behind_a_deletion_heals_too(append):
    damaged = await room("damaged")
    for number in range(3):
        await append(damaged.pk, str(number))
    await deletions.delete_messages(Row.objects.filter(seq=3), lambda key, event: None)
    await Room.objects.filter(pk=damaged.pk).aupdate(last_seq=2)
    assert (await append(damaged.pk, "next")).seq == 5
