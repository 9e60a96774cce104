"""Finds the bundles of the pages among the static files."""

import gzip
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

from noom_project.assets.bundler import join_modules, join_sheets

MARK = ".joined"  # js/pages/room.joined.js is the bundle of js/pages/room.js and its imports
ENTRIES = (
    "js/pages/home.js",
    "js/pages/room.js",
    "css/pages/home.css",
    "css/pages/message.css",
    "css/pages/room.css",
)


def joined(entry: str) -> str:
    """Returns the bundle that a page loads for an entry."""
    path = PurePosixPath(entry)
    return str(path.with_suffix(MARK + path.suffix))


class JoinedFinder(BaseFinder):
    """Bundles on demand, for `collectstatic` and after each edit for `runserver`.

    Beside each bundle it writes a compressed one, which WhiteNoise serves to browsers that accept
    it.
    """

    def __init__(self, app_names: Any = None, *args: Any, **kwargs: Any) -> None:
        self._sources = Path(settings.STATICFILES_DIRS[0])
        self._folder = settings.VAR_DIR / "joined"
        self._made: dict[str, int] = {}  # time of the newest source in each bundle, in nanoseconds
        super().__init__(*args, **kwargs)

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Returns the path of a bundle, made anew if need be; an empty list for others."""
        entry = path.replace(MARK + ".", ".")
        if entry == path or entry not in ENTRIES:
            return []
        found = str(self._up_to_date(entry, path))
        return [found] if find_all else found

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        storage = FileSystemStorage(location=self._folder)
        for entry in ENTRIES:
            path = joined(entry)
            self._up_to_date(entry, path)
            yield path, storage

    def _up_to_date(self, entry: str, path: str) -> Path:
        tree = self._sources / PurePosixPath(entry).parts[0]
        newest = max(file.stat().st_mtime_ns for file in (tree, *tree.rglob("*")))
        target = Path(self._folder / path)
        if self._made.get(path) != newest or not target.exists():
            join = join_modules if path.endswith(".js") else join_sheets
            text = join(entry, lambda name: (self._sources / name).read_text()).encode()
            _write(Path(f"{target}.gz"), gzip.compress(text, mtime=0))
            _write(target, text)
            self._made[path] = newest
        return target


def _write(target: Path, content: bytes) -> None:
    """Replaces a file in one step, because another request may be reading it.

    An equal file stays, so that browsers may use their cached copy.
    """
    if target.exists() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, target)
