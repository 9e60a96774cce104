"""Scripts and styles of every version that runs, shared through the database.

While a new version replaces an old one, a page of the new one may request its script from an old
process, and the reverse. In containers no process has the other version's files on its disk.
"""

import logging
import re
import time
import zlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import DatabaseError, connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

from noom_project.models import Asset

KEEP = timedelta(days=7)  # after the last renewal by a process that has the file
HEARTBEAT_INTERVAL_S = 24 * 3600.0
PIECE = 50  # files in one query
MAX_BYTES = 2_000_000  # of one file; a larger one is not shared
HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")


log = logging.getLogger(__name__)


class _Published:
    at: float | None = None  # by the monotonic clock


class Incomplete(Exception):
    """`collectstatic` has not gathered a file that pages of this version need."""


def publish() -> None:
    """Stores the files of this version in the database, and deletes old ones."""
    ours = set(_hashed().values())
    for names in _pieces(sorted(ours)):
        here = Asset.objects.filter(name__in=names)
        here.update(seen_at=Now())
        new = set(names) - set(here.values_list("name", flat=True))
        Asset.objects.bulk_create(
            (Asset(name=name, packed=zlib.compress(data)) for name, data in _contents(new)),
            ignore_conflicts=True,  # another process of this version starts too
        )
    Asset.objects.filter(seen_at__lt=Now() - KEEP).delete()
    _Published.at = time.monotonic()


def is_due() -> bool:
    """Whether `publish` is due: the next start deletes files that are not renewed."""
    return _Published.at is None or time.monotonic() - _Published.at >= HEARTBEAT_INTERVAL_S


def publish_at_start() -> None:
    """Calls `publish` before the first page needs the files.

    If the database is away, `processes.watch` does it later.
    """
    try:
        publish()
    except DatabaseError as error:
        log.warning("the files of this version are not shared yet: the database failed (%s)", error)
    finally:
        connection.close()


def require(names: Iterable[str]) -> None:
    """Raises Incomplete if one of these files lacks its hashed copy."""
    known = _hashed()
    for name in names if hasattr(staticfiles_storage, "hashed_files") else ():
        if name not in known or not staticfiles_storage.exists(known[name]):
            raise Incomplete(f"{name} is missing: run manage.py collectstatic, then start again")


class SharedFiles(WhiteNoiseMiddleware):
    """Serves files of other versions too; stock WhiteNoise knows those at its start."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        is_ours = self.autorefresh or path in self.files or not path.startswith(self.static_prefix)
        if not is_ours and HASHED.search(path):
            answer = self._of_another_version(path.removeprefix(self.static_prefix))
            if answer is not None:
                return answer
        found: HttpResponseBase = super().__call__(request)
        return found

    def _of_another_version(self, name: str) -> HttpResponseBase | None:
        try:
            asset = Asset.objects.filter(pk=name).first()
        except DatabaseError as error:
            log.warning("%s could not be read from the database: %s", name, error)
            return HttpResponse(status=503, headers={"Retry-After": "1"})
        if asset is None:
            return None
        kind: Any = self.media_types.get_type(name)
        if kind.startswith("text/"):
            kind += f"; charset={self.charset}"
        lasting = f"max-age={self.FOREVER}, public, immutable"
        headers = {"Content-Type": kind, "Cache-Control": lasting}
        return HttpResponse(zlib.decompress(asset.packed), headers=headers)


def _hashed() -> dict[str, str]:
    """Returns the hashed name of each file; nothing with DEBUG, which hashes none."""
    found: dict[str, str] = getattr(staticfiles_storage, "hashed_files", {})
    return found


def _contents(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for name in sorted(names):
        if staticfiles_storage.size(name) <= MAX_BYTES:
            with staticfiles_storage.open(name) as file:
                yield name, file.read()


def _pieces(names: list[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while piece := list(islice(rest, PIECE)):
        yield piece
