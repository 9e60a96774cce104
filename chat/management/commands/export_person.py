"""`manage.py export_person`: write what Noom keeps of a person, as JSON."""

import json
from typing import Any

from chat.management.person_command import PersonCommand
from chat.services import personal_data

KINDS = ("rooms", "bans", "messages")  # in the order of `personal_data.export`


class Command(PersonCommand):
    help = "Write what Noom keeps of a person to the standard output, as one JSON object."

    def handle(self, *args: Any, **options: Any) -> None:
        person = self.person(options)
        self.say_counts(person)
        found = personal_data.export(person)
        thing = next(found, None)
        self.stdout.write("{")
        for kind in KINDS:
            self.stdout.write(f'"{kind}": [')
            before = ""
            while thing is not None and thing[0] == kind:
                self.stdout.write(before + json.dumps(thing[1], ensure_ascii=False))
                before, thing = ",", next(found, None)
            self.stdout.write("]" if kind == KINDS[-1] else "],")
        self.stdout.write("}")
