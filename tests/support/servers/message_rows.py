"""Messages inserted into the SQLite database of a running server."""

import contextlib
import sqlite3
import uuid
from pathlib import Path

# Runs the retention for `manage.py shell`, as another of several processes does.
FORGET = """
from asgiref.sync import async_to_sync
from django.utils import timezone
from chat.storage import deletions
async_to_sync(deletions.forget)(lambda key, event: None, timezone.now())
"""


def fill(database: Path, key: str, count: int, text: str = "text {seq}") -> None:
    """Insert messages into a room that exists and has none."""
    with contextlib.closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        (room,) = connection.execute("SELECT id FROM chat_room WHERE key = ?", [key]).fetchone()
        connection.executemany(
            "INSERT INTO chat_message (room_id, seq, participant, nickname, text, sent_at,"
            " client_id) VALUES (?, ?, 'abcdefghijkl', 'Writer', ?, '2999-01-01 00:00:00', ?)",
            [(room, seq, text.format(seq=seq), uuid.uuid4().hex) for seq in range(1, count + 1)],
        )
        connection.execute("UPDATE chat_room SET last_seq = ? WHERE id = ?", [count, room])
