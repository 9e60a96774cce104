"""`manage.py erase_person`: count what Noom keeps of a person, or erase it."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from chat import runtime
from chat.management.person_command import PersonCommand
from chat.services import personal_data
from chat.services.personal_data import Person


class Command(PersonCommand):
    help = "Erase what a person said; open pages forget it too. Without --yes: count it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="erase it, for good")

    def handle(self, *args: Any, **options: Any) -> None:
        person = self.person(options)
        self.say_counts(person)
        if not options["yes"]:
            self.stderr.write("Nothing was erased. Add --yes to erase it.")
            return
        count = asyncio.run(_erase(person))
        self.stderr.write(f"Erased {count} messages.")


async def _erase(person: Person) -> int:
    try:
        return await personal_data.erase(person)
    finally:
        await runtime.shutdown()  # sends the events that wait for other processes
