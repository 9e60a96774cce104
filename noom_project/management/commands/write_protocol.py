"""`manage.py write_protocol`: writes docs/protocol.md and static/js/protocol/."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chat.protocol.codec import VERSION
from noom_project.protocol_writer import markdown, typescript

MARK = "<!-- Below this line: written by `manage.py write_protocol`. -->\n"

VERSION_JS = """/** The version of the protocol that this page speaks. */

// Written by `manage.py write_protocol` from chat/protocol/codec.py.
export const PROTOCOL_VERSION = %d;
"""


class Command(BaseCommand):
    """Writes the files of `files`; a test fails when they are stale."""

    help = "Write docs/protocol.md and static/js/protocol/ from the types of the messages."

    def handle(self, *args: Any, **options: Any) -> None:
        for path, text in files().items():
            (settings.BASE_DIR / path).write_text(text)


def files() -> dict[str, str]:
    """Returns the texts of the files by their paths below the project."""
    page = (settings.BASE_DIR / "docs" / "protocol.md").read_text()
    return {
        "docs/protocol.md": page.partition(MARK)[0] + MARK + "\n" + markdown(),
        "static/js/protocol/messages.d.ts": typescript(),
        "static/js/protocol/version.js": VERSION_JS % VERSION,
    }
