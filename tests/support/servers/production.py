"""A real Noom as an operator runs it: without DEBUG, behind one proxy, its files gathered."""

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
    """What a server without DEBUG needs before it starts; done once for each state of the files.

    While it is done, the list of the files is away for a moment, and a server that another test
    starts then finds none. So tests that run at the same time do it once, and one after the other.
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
    """Other files, or another way to gather them, give another state."""
    folders = (ROOT / "static", ROOT / "noom_project", Path(django.__file__).parent / "contrib")
    files = (file for folder in folders for file in sorted(folder.rglob("*.*")))
    ours = [file for file in files if file.suffix != ".pyc" and file.is_file()]
    told = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in ours]
    return hashlib.sha256(repr(told).encode()).hexdigest()
