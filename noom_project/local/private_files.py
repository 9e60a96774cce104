"""Private files and folders, which only their owner can read."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
OTHERS = 0o077
UMASK = 0o077  # of every command, so that a new file is private from its first moment
SQLITE_ENDINGS = ("", "-wal", "-shm", "-journal")


def keep_folder(path: Path) -> None:
    """Makes a folder and its files private, also those of an older version.

    If that is not permitted (another user's folder, a read-only disk), they stay unchanged.
    """
    with contextlib.suppress(OSError):
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _keep(path, FOLDER_MODE)
        keep_files(path.iterdir())


def keep_database(path: Path) -> None:
    """Makes an SQLite database private, with the files beside it."""
    keep_files(path.with_name(path.name + ending) for ending in SQLITE_ENDINGS)


def keep_files(paths: Iterable[Path]) -> None:
    """Makes the existing files of these paths private."""
    for path in paths:
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                _keep(path, FILE_MODE)


def _keep(path: Path, mode: int) -> None:
    if stat.S_IMODE(path.stat().st_mode) & OTHERS:
        path.chmod(mode)


def write(path: Path, content: bytes) -> None:
    """Writes a private file in one step.

    After a crash or on a full disk it has either all of the new content, or the old.

    Raises OSError.
    """
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
