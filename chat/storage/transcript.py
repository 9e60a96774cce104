"""Transcripts of rooms, read in pieces, so that their length costs no memory."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from chat.protocol.messages import ADMINISTRATOR, Message
from chat.storage import database, history

PIECE = 200  # messages of one query


async def as_text(room_id: int) -> AsyncIterator[str]:
    """A transcript for readers.

    Further lines of a message are indented, so that none passes for another message.
    """
    async for piece in _pieces(room_id, _line):
        yield "".join(piece)


async def as_json(room_id: int, *, name: str, key: str) -> AsyncIterator[str]:
    """A transcript for programs: the room, and a list of its messages."""
    head = json.dumps({"room": name, "key": key}, ensure_ascii=False)
    yield f'{head[:-1]}, "messages": ['
    before = "\n"
    async for piece in _pieces(room_id, _object):
        yield before + ",\n".join(piece)
        before = ",\n"
    yield "\n]}\n"


async def _pieces(room_id: int, write: Callable[[Message], str]) -> AsyncIterator[list[str]]:
    """The written messages, in pieces.

    `write` runs on the history threads, for which only readers of history wait.
    """

    def read(seq: int) -> tuple[list[str], int]:
        piece = history.messages_after(room_id, seq, PIECE)
        return [write(message) for message in piece], piece[-1].seq if piece else seq

    last = 0
    while True:
        piece, last = await database.long_query(read, last)
        if not piece:
            return
        yield piece


def _line(message: Message) -> str:
    text = _indented(message.text)
    if message.sender == ADMINISTRATOR:  # no guest's line begins with "!", with any nickname
        return f"! [{_time(message)}] {text}\n"
    return f"[{_time(message)}] {message.nickname}: {text}\n"


def _object(message: Message) -> str:
    plain = {
        "seq": message.seq,
        "sent_at": _time(message),
        "nickname": message.nickname,
        "announcement": message.sender == ADMINISTRATOR,
        "text": message.text,
    }
    return json.dumps(plain, ensure_ascii=False)


def _indented(text: str) -> str:
    return "\n    ".join(text.splitlines())  # every character that an editor shows as a line end


def _time(message: Message) -> str:
    return datetime.fromtimestamp(message.sent_at / 1000, UTC).isoformat(timespec="seconds")
