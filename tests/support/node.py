"""The Node.js that the tests run: the virtual environment's, where the Makefile had to get one."""

import os
import shutil
import sys
from pathlib import Path


def node() -> str:
    """Its program."""
    places = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    found = shutil.which("node", path=places)
    assert found, "no Node.js: `make check` gets one"
    return found
