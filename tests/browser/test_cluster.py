"""Two people at two processes, in one room and one call; an admin watches at the second."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browsers.media_checks import hears, shows_video
from tests.support.browsers.users import Users
from tests.support.clients.admin_client import Admin
from tests.support.servers.cluster import Process, start_cluster
from tests.support.servers.redis import Redis
from tests.support.waiting import until


@pytest.fixture
def cluster(tmp_path, redis: Redis) -> Iterator[list[Process]]:
    redis.start()
    redis.forget()
    processes = start_cluster(tmp_path, redis, 2)
    yield processes
    for process in processes:
        process.stop()


def test_admin_removes_a_participant_at_another_process(cluster, browser: Browser):
    here, there = (Users(browser, process.url) for process in cluster)
    nova, mira = here.enter("Nova", "far", call=True), there.enter("Mira", "far", call=True)
    for page in (nova, mira):
        shows_video(page, 1)
        hears(page, 1)
    mira.fill("form#msg [name=text]", "from the other side")
    mira.press("form#msg [name=text]", "Enter")
    until(lambda: "from the other side" in nova.inner_text("#messages"), "the message")
    assert nova.inner_text("#room-title") == "far (2)"
    admin = Admin(cluster[1])
    assert "Nova" in admin.get("/admin/chat/room/1/change/")
    nova_id = mira.get_attribute("#peers [data-participant]", "data-participant")
    admin.post("/admin/chat/room/1/do/clear_rooms/")
    until(lambda: "no longer kept" in nova.inner_text("#messages"), "the word about it")
    assert "from the other side" not in nova.inner_text("#messages")
    admin.post(f"/admin/chat/room/1/remove/{nova_id}/")
    until(lambda: nova.locator("#fatal").is_visible(), "the end of Nova's visit")
    until(lambda: mira.locator("#peers [data-participant]").count() == 0, "the empty call")
    here.leave()
    there.leave()
