"""The open rooms, from presence and the database."""

from collections import Counter

from chat import runtime
from chat.models import Room
from chat.names import cleaning, keys
from chat.protocol.messages import OpenRoom
from chat.services import rooms
from chat.storage import database

PIECE = 500  # keys in one query of the database


async def list_open_rooms() -> list[OpenRoom]:
    """The listed rooms with people in them, the fullest first.

    It costs one query of presence for each kind of place, however many rooms there are.
    """
    counts = await rooms.roster().member_counts()
    candidates = [key for key in counts if not keys.is_unlisted(key)]
    if not candidates:
        return []
    in_call = await _in_calls()
    found = [
        OpenRoom(key=key, name=name, count=counts[key], in_call=in_call[key])
        for key, name in cleaning.distinct_room_names(
            await database.query(_named, candidates)
        ).items()
    ]
    return sorted(found, key=lambda room: (-room.count, room.name))


async def _in_calls() -> Counter[str]:
    """The number of callers in the call of each room, by key."""
    here = runtime.current()
    calls = [roster for roster in here.rosters() if roster.place_type is not rooms.PEOPLE]
    found: Counter[str] = Counter()
    for roster in calls:
        found.update(await roster.member_counts())
    return found


def _named(candidates: list[str]) -> list[tuple[str, str]]:
    """Key and name of the candidates that are listed and not closed.

    The oldest come first, because the later of two rooms whose names look alike gets a number.
    """
    found: list[tuple[int, str, str]] = []
    for start in range(0, len(candidates), PIECE):
        piece = Room.objects.filter(key__in=candidates[start : start + PIECE])
        found += piece.filter(listed=True, closed_at=None).values_list("pk", "key", "name")
    return [(key, name) for _, key, name in sorted(found)]
