"""docs/operating.md as commands: the shell blocks of its sections, filled in as it asks."""

import re

from tests.architecture.source_files import ROOT

DOCUMENT = ROOT / "docs" / "operating.md"


def commands(section: str, **names: str) -> list[str]:
    """The blocks of shell commands below a heading; `YOUR_NAME="…"` fills in YOUR-NAME."""
    _, found, rest = DOCUMENT.read_text().partition(f"\n## {section}\n")
    assert found, f"no section {section}"
    blocks = re.findall(r"^```sh\n(.*?)^```", rest.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    assert blocks, f"no commands in {section}"
    for name, value in names.items():
        blocks = [block.replace(name.replace("_", "-"), value) for block in blocks]
    return blocks
