"""The service of personal data: export and erase what Noom keeps of a person.

A person has no account. Each page load is a participant. The signed cookie names the browser. A
nickname names a person in one room alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from chat.models import Ban, Message, Room
from chat.services import moderation
from chat.storage import database

PIECE = 500  # messages in one query
ERASED = "–"


@dataclass(frozen=True)
class Person:
    """A person, named by exactly one of the fields; a nickname needs the room's key."""

    participant: str = ""
    browser: str = ""
    nickname: str = ""
    room: str = ""

    def messages(self) -> QuerySet[Message]:
        """The stored messages of this person."""
        found = Message.objects.filter(room__deleted_at=None)
        if self.participant:
            return found.filter(participant=self.participant)
        if self.browser:
            return found.filter(browser=self.browser)
        return found.filter(room__key=self.room, nickname=self.nickname)

    def rooms(self) -> QuerySet[Room]:
        """The rooms whose host is this browser."""
        return Room.objects.filter(host=self.browser) if self.browser else Room.objects.none()

    def bans(self) -> QuerySet[Ban]:
        """The bans of this person."""
        if self.browser:
            return Ban.objects.filter(browser=self.browser)
        if self.nickname:
            return Ban.objects.filter(room__key=self.room, nickname=self.nickname)
        return Ban.objects.none()

    def counts(self) -> dict[str, int]:
        """The number of rows, by kind."""
        found = {"messages": self.messages(), "rooms": self.rooms(), "bans": self.bans()}
        return {kind: rows.count() for kind, rows in found.items()}


def export(person: Person) -> Iterator[tuple[str, dict[str, Any]]]:
    """All that Noom keeps of a person: the kind of each row, and its content."""
    for room in person.rooms().iterator():
        yield "rooms", {"key": room.key, "name": room.name, "made": room.created_at.isoformat()}
    for ban in person.bans().select_related("room").iterator():
        since = ban.created_at.isoformat()
        yield "bans", {"room": ban.room.key, "nickname": ban.nickname, "since": since}
    after = 0
    while True:
        rows = person.messages().filter(pk__gt=after).order_by("pk")
        piece = list(rows.select_related("room")[:PIECE])
        for message in piece:
            yield "messages", _plain(message)
        if not piece:
            return
        after = piece[-1].pk


def _plain(message: Message) -> dict[str, Any]:
    return {
        "room": message.room.key,
        "seq": message.seq,
        "sent_at": message.sent_at.isoformat(),
        "participant": message.participant,
        "nickname": message.nickname,
        "text": message.text,
    }


async def erase(person: Person) -> int:
    """Delete a person's messages, and its name in rooms and bans.

    Open pages receive the deletions. Returns the number of messages. Bans stay, because they name
    only a browser.
    """
    # The deletion searches until it finds no message, because the person may write on meanwhile.
    total = await moderation.delete_messages(person.messages())
    await database.write_in_order(_unname, person)
    return total


@transaction.atomic
def _unname(person: Person) -> None:
    person.bans().update(nickname=ERASED)
    person.rooms().update(host="")
