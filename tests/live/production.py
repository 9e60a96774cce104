"""A real Noom as an operator runs it: without DEBUG, behind one proxy, its files gathered."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from tests.live.cluster import Process
from tests.live.server import ROOT
from tests.patience import PATIENCE

GATHER_S = 120 * PATIENCE


def as_operated() -> dict[str, str]:
    """Settings without DEBUG, with which Django notes every query, for a process that is asked
    directly; it knows the tokens that tests mint."""
    return {"DEBUG": "0", "SECRET_KEY": settings.SECRET_KEY, "ALLOWED_HOSTS": "127.0.0.1"}


def start_production(folder: Path, **environment: str) -> Process:
    """One process of `manage.py serve`; who starts it stops it."""
    process = Process(folder, **{**as_operated(), "TRUSTED_PROXIES": "1", **environment})
    gather_static_files(process.environment)
    process.start()
    return process


def gather_static_files(environment: Mapping[str, str]) -> None:
    """What a server without DEBUG needs before it starts."""
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        timeout=GATHER_S,
    )
