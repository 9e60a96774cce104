"""A real Noom as an operator runs it: without DEBUG, behind one proxy, its files gathered."""

import subprocess
import sys
from pathlib import Path

from tests.live.cluster import Process
from tests.live.server import ROOT

SETTINGS = {
    "DEBUG": "0",
    "SECRET_KEY": "k" * 50,
    "ALLOWED_HOSTS": "127.0.0.1",
    "TRUSTED_PROXIES": "1",
}
GATHER_S = 120


def start_production(folder: Path, **environment: str) -> Process:
    """One process of `manage.py serve`; who starts it stops it."""
    process = Process(folder, **{**SETTINGS, **environment})
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=ROOT,
        env=process.environment,
        check=True,
        timeout=GATHER_S,
    )
    process.start()
    return process
