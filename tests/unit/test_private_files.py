"""Noom's private files: readable to their owner alone, and whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from noom_project.local import private_files
from noom_project.local.defaults import load_or_create_secret
from tests.architecture.source_files import ROOT
from tests.support.patience import PATIENCE

KEEP = """
import sys, pathlib
from noom_project.local.defaults import load_or_create_secret
print(load_or_create_secret(pathlib.Path(sys.argv[1])))
"""
WRITE = """
import sys, pathlib
from noom_project.local import private_files
private_files.write(pathlib.Path(sys.argv[1]), b"second")
"""
NO_ROOM = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
"""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def python(code: str, path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("found", [None, b"", b"\n", b"cut"])
def test_secret_that_is_empty_or_cut_short_is_made_anew(tmp_path, found):
    path = tmp_path / "var" / "secret_key"
    if found is not None:
        private_files.write(path, found)
    secret = load_or_create_secret(path)
    assert len(secret) > 50
    assert load_or_create_secret(path) == secret
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("is_there", [False, True])
def test_first_starts_at_once_keep_one_secret(tmp_path, is_there):
    path = tmp_path / "secret_key"
    if is_there:
        path.touch()
    starts = [python(KEEP, path) for _ in range(5)]
    told = {start.communicate(timeout=60 * PATIENCE)[0].strip() for start in starts}
    assert told == {path.read_text()}
    assert len(path.read_text()) > 50


def test_full_disk_leaves_no_secret_and_the_next_start_makes_one(tmp_path):
    path = tmp_path / "secret_key"
    start = python(NO_ROOM + KEEP, path)
    out, told = start.communicate(timeout=60 * PATIENCE)
    assert (start.returncode, out) == (1, "")
    assert told.startswith(f"Noom cannot start: it cannot keep its secret key in {path} (")
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert len(load_or_create_secret(path)) > 50


def test_older_folder_and_database_become_private(tmp_path):
    var, elsewhere = tmp_path / "var", tmp_path / "noom.sqlite3"
    var.mkdir(mode=0o755)
    files = [var / name for name in ("noom.sqlite3", "noom.sqlite3-wal", "https.pem", "export.txt")]
    files += [elsewhere, tmp_path / "noom.sqlite3-wal", tmp_path / "noom.sqlite3-shm"]
    for file in files:
        file.touch()
        file.chmod(0o644)
    private_files.keep_folder(var)
    private_files.keep_database(elsewhere)
    assert mode(var) == 0o700
    assert {mode(file) for file in files} == {0o600}


def test_foreign_folder_keeps_its_permissions(tmp_path):
    link, other = tmp_path / "link", tmp_path / "other"
    other.touch(mode=0o644)
    other.chmod(0o644)
    link.symlink_to(other)
    private_files.keep_folder(tmp_path)
    assert mode(other) == 0o600
    other.chmod(0o644)
    private_files.keep_files([link])
    assert mode(other) == 0o644
    private_files.keep_folder(Path("/proc/self/nowhere"))


def test_command_makes_private_files_whatever_the_shell_allows(tmp_path):
    database = tmp_path / "noom.sqlite3"
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{database}"},
        umask=0o022,
        check=True,
        timeout=120 * PATIENCE,
    )
    assert mode(database) == 0o600
    assert mode(ROOT / "var") == 0o700


def test_file_that_cannot_be_written_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    private_files.write(path, b"first")
    start = python(NO_ROOM + WRITE, path)
    assert "OSError" in start.communicate(timeout=60 * PATIENCE)[1]
    assert path.read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 1
