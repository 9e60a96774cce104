"""Settings that must not be served: a real `manage.py serve` refuses them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import ROOT, free_port
from tests.support.servers.production import as_operated

START_S = 60 * PATIENCE
ATTEMPTS = [
    ("no secret", {"SECRET_KEY": ""}, "noom.E001"),
    ("the secret of an example", {"SECRET_KEY": "CHANGE-ME"}, "noom.E001"),
    ("any host", {"ALLOWED_HOSTS": "*"}, "noom.E002"),
    ("no host", {"ALLOWED_HOSTS": ""}, "noom.E002"),
    ("an in-memory layer for several processes", {"PROCESSES": "2"}, "noom.E003"),
    ("an open Redis off loopback", {"REDIS_URL": "redis://192.0.2.1:6379"}, "noom.E006"),
]


def serve(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Return how a start ends."""
    return subprocess.run(
        [sys.executable, "manage.py", "serve", "-p", str(free_port())],
        cwd=ROOT,
        env=Process(folder, **{**as_operated(), **environment}).environment,
        capture_output=True,
        text=True,
        timeout=START_S,
    )


@pytest.mark.target("S20")
@pytest.mark.parametrize(("what", "environment", "number"), ATTEMPTS)
def test_start_that_is_not_safe_is_refused(tmp_path, figure, what, environment, number):
    ended = serve(tmp_path, **environment)
    assert number in ended.stderr
    figure(f"{what}: starts that were not refused", ended.returncode == 0, limit=0)


@pytest.mark.target("S20")
def test_old_daphne_is_refused(tmp_path, figure):
    # Python finds an installed package in the first directory that names it.
    old = tmp_path / "daphne-4.2.1.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: daphne\nVersion: 4.2.1\n")
    ended = serve(tmp_path, PYTHONPATH=str(tmp_path))
    assert "noom.E007" in ended.stderr
    figure("an old daphne: starts that were not refused", ended.returncode == 0, limit=0)


@pytest.mark.target("S20")
def test_same_settings_without_a_fault_are_served(start_process):
    assert "noom.E" not in start_process(**as_operated()).log
