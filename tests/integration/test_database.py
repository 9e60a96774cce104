"""The threads that ask the database."""

from django.db import connection

from chat.models import Room
from chat.storage import database


def noted() -> int:
    """How many queries Django remembers in this thread, after one more."""
    Room.objects.count()
    return len(connection.queries_log)


async def test_queries_that_are_noted_with_debug_are_forgotten(settings, monkeypatch):
    settings.DEBUG = True
    monkeypatch.setattr(database, "RECYCLE_INTERVAL_S", 0)
    assert [await database.probe(noted) for _ in range(3)] == [1, 1, 1]
