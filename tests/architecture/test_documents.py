"""Documents name what is there: versions, decisions, and tests that exist."""

import re
import tomllib

from tests.architecture.source_files import ROOT, nothing
from tests.conftest import APART, PLACES
from tests.integration.conftest import BY_EACH_TRANSPORT


def test_changelog_names_the_version_of_pyproject():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert headings[0] == "Unreleased"
    assert headings[1].split(" - ")[0] == project["version"]


def test_every_test_named_in_documents_exists():
    wrong = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for path, name in re.findall(
            r"`((?:\w+/)+[\w-]+\.(?:test\.js|py))(?:::(\w+))?`", page.read_text()
        ):
            file = next((f for f in (ROOT / "tests" / path, ROOT / path) if f.is_file()), None)
            if file is None or (name and f"def {name}(" not in file.read_text()):
                wrong.append(f"{page.name}: {path}::{name}")
    nothing(wrong)


def test_index_of_decisions_lists_every_record_and_no_other():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    listed = re.findall(r"^- \[(.+)\]\(([\w-]+\.md)#", index, re.MULTILINE)
    written = [
        (heading, page.name)
        for page in folder.glob("*.md")
        for heading in re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        if page.name != "README.md"
    ]
    assert sorted(listed) == sorted(written)


def test_every_test_named_in_a_conftest_exists():
    """Else a file that was renamed would lose what the conftest does for it, in silence."""
    here = ROOT / "tests"
    named = [here / "integration" / f"{name}.py" for name in BY_EACH_TRANSPORT] + list(PLACES)
    nothing([str(path.relative_to(ROOT)) for path in named if not path.is_file()])
    nothing([f"no file {name}.py" for name in APART if not list(here.rglob(f"{name}.py"))])
