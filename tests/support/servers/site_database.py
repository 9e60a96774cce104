"""A site's database, read and filled from outside."""

import sqlite3
from contextlib import closing
from typing import Any

import psycopg

# 100,000 messages as long as people write them, numbered from 1.
FILL_SQLITE = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
INSERT INTO chat_message (room_id, seq, participant, nickname, text, sent_at, client_id)
SELECT ?, n, 'longago12345', 'Away', 'number ' || n || substr(hex(zeroblob(60)), 1, n % 100),
       datetime('now'), lower(hex(randomblob(16)))
FROM number
"""
FILL_POSTGRES = """
INSERT INTO chat_message (room_id, seq, participant, nickname, text, sent_at, client_id)
SELECT %(room)s, n, 'longago12345', 'Away', 'number ' || n || repeat('x', n %% 100), now(),
       gen_random_uuid()
FROM generate_series(1, %(count)s) AS n
"""


class Stored:
    """The database at a URL as in the settings."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_sqlite = url.startswith("sqlite:")

    def fill(self, key: str, count: int) -> int:
        """Insert so many messages into an empty room, and return the room's row."""
        [[room]] = self.ask("SELECT id FROM chat_room WHERE key = {}", key)
        if self._is_sqlite:
            self._run(FILL_SQLITE, (count, room))
        else:
            self._run(FILL_POSTGRES, {"room": room, "count": count})
            self._run("ANALYZE chat_message", ())
        self.ask("UPDATE chat_room SET last_seq = {} WHERE id = {}", count, room)
        return int(room)

    def count(self, table: str, room: int) -> int:
        """Return how many rows of a table belong to a room, or are the room."""
        column = "id" if table == "chat_room" else "room_id"
        [[count]] = self.ask(f"SELECT count(*) FROM {table} WHERE {column} = {{}}", room)  # noqa: S608
        return int(count)

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; `{}` stands for a value."""
        return self._run(sql.replace("{}", "?" if self._is_sqlite else "%s"), values)

    def _run(self, sql: str, values: Any) -> list[tuple[Any, ...]]:
        if self._is_sqlite:
            path = self._url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(path, timeout=60)) as database, database:
                return database.execute(sql, values).fetchall()
        with psycopg.connect(self._url, autocommit=True) as connection:
            answer = connection.execute(sql, values)
            return answer.fetchall() if answer.description else []
