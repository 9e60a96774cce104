"""Who may not come back: browsers that were removed from a room, kept in the database."""

from collections.abc import Iterable

from chat.models import Ban, Room


def record(key: str, browser: str, nickname: str) -> None:
    """Keeps a browser out of a room; harmless if it is kept out already, or the room is gone."""
    room = Room.objects.filter(key=key).first()
    if room is not None:
        Ban.objects.get_or_create(room=room, browser=browser, defaults={"nickname": nickname})


def lift(pk: int) -> None:
    """Lets a browser back in."""
    Ban.objects.filter(pk=pk).delete()


def holds(key: str, browser: str) -> bool:
    """Whether a browser is kept out of a room."""
    return Ban.objects.filter(room__key=key, browser=browser).exists()


def among(keys: Iterable[str]) -> list[tuple[str, str]]:
    """Who is kept out of these rooms: key and browser."""
    return list(Ban.objects.filter(room__key__in=list(keys)).values_list("room__key", "browser"))
