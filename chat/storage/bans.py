"""Bans: browsers that were removed from a room and may not come back."""

from collections.abc import Iterable

from chat.models import Ban, Room


def add(key: str, browser: str, nickname: str) -> None:
    """Bans a browser from a room.

    Repeating it, or naming a room that is gone, changes nothing.
    """
    room = Room.objects.filter(key=key).first()
    if room is not None:
        Ban.objects.get_or_create(room=room, browser=browser, defaults={"nickname": nickname})


def remove(pk: int) -> None:
    """Deletes a ban, so that the browser may come back."""
    Ban.objects.filter(pk=pk).delete()


def is_banned(key: str, browser: str) -> bool:
    """Whether a browser is banned from a room."""
    return Ban.objects.filter(room__key=key, browser=browser).exists()


def banned_in(keys: Iterable[str]) -> list[tuple[str, str]]:
    """The bans of these rooms, as pairs of key and browser."""
    return list(Ban.objects.filter(room__key__in=list(keys)).values_list("room__key", "browser"))
