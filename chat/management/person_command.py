"""Base of the commands about a person."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.models import Room
from chat.services.personal_data import Person


class PersonCommand(BaseCommand):
    """A command about a participant, a browser, or a nickname in a room."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        named = parser.add_mutually_exclusive_group(required=True)
        named.add_argument("--participant", default="", help="the reference that a page shows")
        named.add_argument("--browser", default="", help="the value of the cookie noom_browser")
        named.add_argument("--nickname", default="", help="a nickname as the chat of --room has it")
        parser.add_argument("--room", default="", help="the last part of a room's address")

    def person(self, options: dict[str, Any]) -> Person:
        """Return the person that the arguments name. Raises CommandError."""
        nickname, room = options["nickname"], options["room"]
        if bool(nickname) != bool(room):
            raise CommandError("--nickname and --room go together: a nickname is of one room.")
        if room and not Room.objects.filter(key=room).exists():
            raise CommandError(f"--room: there is no room {room!r}; give the end of its address.")
        # The signature of the cookie follows the first colon.
        browser = options["browser"].partition(":")[0]
        return Person(options["participant"], browser, nickname, room)

    def say_counts(self, person: Person) -> None:
        """Print the counts on standard error, as standard output may be a file."""
        told = ", ".join(f"{count} {kind}" for kind, count in person.counts().items())
        self.stderr.write(told)
