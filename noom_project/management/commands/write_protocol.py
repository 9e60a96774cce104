"""`manage.py write_protocol`: writes docs/protocol.md and static/js/protocol/."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from noom_project import protocol_writer

MARK = "<!-- Below this line: written by `manage.py write_protocol`. -->\n"


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
        "docs/protocol.md": page.partition(MARK)[0] + MARK + "\n" + protocol_writer.markdown(),
        "static/js/protocol/close-codes.js": protocol_writer.close_codes_js(),
        "static/js/protocol/limits.js": protocol_writer.limits_js(),
        "static/js/protocol/messages.d.ts": protocol_writer.typescript(),
        "static/js/protocol/version.js": protocol_writer.version_js(),
    }
