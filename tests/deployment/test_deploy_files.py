"""The files in deploy/ know what the code knows, and hold no secret."""

import os
import re
import subprocess
import sys

from noom_project.variables.declared import env
from tests.architecture.source_files import ROOT, files
from tests.support.patience import PATIENCE

EXAMPLE = ROOT / "deploy" / "noom.env.example"
SECRET = re.compile(
    r"^#?(\w*(?:SECRET|PASSWORD)\w*)=(\S+)|static-auth-secret=(?!%s)\S", re.MULTILINE
)


def test_example_environment_names_every_setting_and_no_other():
    names = re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)
    assert sorted(names) == sorted(env.names)


def test_filled_in_example_environment_passes_every_check():
    example = EXAMPLE.read_text().replace("PASSWORD", "pass")
    filled = re.sub(r"^(\w+)=$", r"\1=" + "0123456789abcdef" * 4, example, flags=re.MULTILINE)
    environment = dict(re.findall(r"^([A-Z_]+)=(.+)$", filled, re.MULTILINE))
    assert checked(environment) == "System check identified no issues (2 silenced).\n"
    assert "W008" in checked({**environment, "SECURE_SSL_REDIRECT": "0"})


def checked(environment: dict[str, str]) -> str:
    """Run `manage.py check --deploy` in this environment, and return its output."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60 * PATIENCE,
    )
    return done.stdout


def test_deploy_files_hold_no_secret():
    operators = {".env", "noom.env"}  # of whoever runs compose.yml here
    ours = [path for path in files("deploy/**/*") if path.name not in operators]
    found = [path for path in ours if SECRET.search(path.read_text())]
    assert found == []
    assert SECRET.search("TURN_SECRET=abc")
