"""The service of a person's data: what Noom keeps of somebody, as a whole, to show or to erase.

A person has no account. Each load of a page is a participant; the signed cookie names the browser;
a nickname says something in one room alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from chat.models import Ban, Message, Room
from chat.services import moderation
from chat.storage import database

PIECE = 500  # messages read at once
ERASED = "–"


@dataclass(frozen=True)
class Person:
    """Somebody, named by exactly one of these; a nickname needs the room's key."""

    participant: str = ""
    browser: str = ""
    nickname: str = ""
    room: str = ""

    def messages(self) -> QuerySet[Message]:
        """What this person said, while it is kept."""
        found = Message.objects.filter(room__deleted_at=None)
        if self.participant:
            return found.filter(participant=self.participant)
        if self.browser:
            return found.filter(browser=self.browser)
        return found.filter(room__key=self.room, nickname=self.nickname)

    def rooms(self) -> QuerySet[Room]:
        """The rooms whose host this browser is."""
        return Room.objects.filter(host=self.browser) if self.browser else Room.objects.none()

    def bans(self) -> QuerySet[Ban]:
        """The rooms that keep this person out."""
        if self.browser:
            return Ban.objects.filter(browser=self.browser)
        if self.nickname:
            return Ban.objects.filter(room__key=self.room, nickname=self.nickname)
        return Ban.objects.none()

    def counts(self) -> dict[str, int]:
        """How much there is, by kind."""
        found = {"messages": self.messages(), "rooms": self.rooms(), "bans": self.bans()}
        return {kind: rows.count() for kind, rows in found.items()}


def export(person: Person) -> Iterator[tuple[str, dict[str, Any]]]:
    """All that is kept of a person: the kind of each thing, and what it holds."""
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
    """Deletes what a person said, so that open pages forget it too, and takes its name from rooms
    and bans; returns how many messages there were. Bans go on: they name a browser alone."""
    # A second look: the person may write on while the first pieces go.
    total = await moderation.delete_messages(person.messages())
    await database.write(_unname, person)
    return total


@transaction.atomic
def _unname(person: Person) -> None:
    person.bans().update(nickname=ERASED)
    person.rooms().update(host="")
