"""What stands in deploy/ knows what the code knows, and holds no secret."""

import re

from tests.source import ROOT, files
from tests.test_architecture import settings_read

EXAMPLE = ROOT / "deploy" / "noom.env.example"
SECRET = re.compile(
    r"^#?(\w*(?:SECRET|PASSWORD)\w*)=(\S+)|static-auth-secret=(?!%s)\S", re.MULTILINE
)


def test_the_example_environment_names_every_setting_and_no_other():
    names = re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)
    assert sorted(names) == sorted(settings_read())


def test_no_file_holds_a_secret():
    operators = {".env", "noom.env"}  # of whoever runs compose.yml here
    ours = [path for path in files("deploy/**/*") if path.name not in operators]
    found = [path for path in ours if SECRET.search(path.read_text())]
    assert found == []
    assert SECRET.search("TURN_SECRET=abc")
