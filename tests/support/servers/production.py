"""A real Noom as in operation.

Without DEBUG, behind one proxy, static files collected.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import django
from django.conf import settings

from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import ROOT

GATHER_S = 120 * PATIENCE
VAR = ROOT / "var"
GATHERED = VAR / "static" / "staticfiles.json"


def as_operated() -> dict[str, str]:
    """Return the settings of a process without DEBUG that a test calls directly.

    With DEBUG, Django keeps every query. The process accepts the tokens that tests mint.
    """
    return {"DEBUG": "0", "SECRET_KEY": settings.SECRET_KEY, "ALLOWED_HOSTS": "127.0.0.1"}


def start_production(folder: Path, **environment: str) -> Process:
    """Start one process of `manage.py serve`; the caller stops it."""
    process = Process(folder, **{**as_operated(), "TRUSTED_PROXIES": "1", **environment})
    gather_static_files(process.environment)
    process.start()
    return process


def gather_static_files(environment: Mapping[str, str]) -> None:
    """Collect the static files for a server without DEBUG.

    It collects them once for each state of the files. Meanwhile the manifest is away for a moment,
    and a server that another test starts then finds none. So concurrent tests collect once, and one
    after the other.
    """
    VAR.mkdir(mode=0o700, exist_ok=True)
    with (VAR / "gathering.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        now = _state_of_files()
        if lock.read() == now and GATHERED.exists():
            return
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
            cwd=ROOT,
            env={**os.environ, **environment},
            check=True,
            timeout=GATHER_S,
        )
        lock.truncate(0)
        lock.write(now)


def _state_of_files() -> str:
    """Return a name that changes with the files, and with the way to collect them."""
    folders = (ROOT / "static", ROOT / "noom_project", Path(django.__file__).parent / "contrib")
    files = (file for folder in folders for file in sorted(folder.rglob("*.*")))
    ours = [file for file in files if file.suffix != ".pyc" and file.is_file()]
    versions = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in ours]
    return hashlib.sha256(repr(versions).encode()).hexdigest()
