"""The admin while Redis is away: each page comes, or says in words that it cannot."""

from urllib.error import HTTPError

import pytest

from tests.support.clients.admin_client import Admin
from tests.support.servers.cluster import start_cluster
from tests.support.servers.redis import Redis
from tests.support.waiting import until

ROOMS = "/admin/chat/room/"


@pytest.fixture(scope="module")
def admin(tmp_path_factory):
    """Of a process whose Redis has just been killed."""
    folder = tmp_path_factory.mktemp("away")
    redis = Redis(folder)
    redis.start()
    [process] = start_cluster(folder, redis, 1)
    found = Admin(process)
    assert "503" not in found.get(f"{ROOMS}?open=yes")
    redis.kill()
    yield found
    process.stop()
    redis.stop()


@pytest.mark.parametrize("page", ["?open=yes", "?open=no", "people/", "announce/"])
def test_admin_page_that_needs_redis_reports_its_absence(admin, page):
    def refusal() -> HTTPError | None:
        try:
            admin.get(ROOMS + page)
        except HTTPError as error:
            return error
        return None

    error = until(refusal, "the page that cannot be made")
    assert error is not None
    assert error.code == 503
    assert error.headers["Retry-After"]
    assert "Noom cannot answer right now" in error.read().decode()
    assert "Rooms" in admin.get(ROOMS)  # it does without
