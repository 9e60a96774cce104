"""`manage.py write_configuration`: writes the tables of docs/configuration.md."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from noom_project.config.environment import Section
from noom_project.variables.declared import env

MARK = "<!-- Below this line: written by `manage.py write_configuration`. -->\n"
HEAD = "| setting | default | unit | meaning |\n|---|---|---|---|\n"


class Command(BaseCommand):
    """Writes the page; a test fails when it is stale."""

    help = "Write docs/configuration.md from the declarations of noom_project/variables/."

    def handle(self, *args: Any, **options: Any) -> None:
        (settings.BASE_DIR / "docs" / "configuration.md").write_text(page())


def page() -> str:
    """Returns the text of docs/configuration.md, with the part above the mark as it is."""
    text = (settings.BASE_DIR / "docs" / "configuration.md").read_text()
    parts = [text.partition(MARK)[0] + MARK, *map(_section, env.sections)]
    return "\n".join(parts)


def _section(section: Section) -> str:
    note = f"{section.note}\n\n" if section.note else ""
    rows = "".join(
        f"| `{one.name}` | {one.default} | {one.unit} | {one.meaning} |\n"
        for one in section.variables
    )
    return f"## {section.title}\n\n{note}{HEAD}{rows}"
