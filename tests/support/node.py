"""The Node.js of the tests.

From the virtual environment, where the Makefile installed one.
"""

import os
import shutil
import sys
from pathlib import Path


def node() -> str:
    """Return the path of its program."""
    places = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    found = shutil.which("node", path=places)
    assert found, "no Node.js: `make check` gets one"
    return found
