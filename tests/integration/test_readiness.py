"""When a process stands back: for an older one, or for want of tables or files."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.utils import timezone

from noom_project.assets import shared_files
from noom_project.models import Asset, Process
from noom_project.monitoring import health, processes
from tests.integration.test_monitoring import ready


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    monkeypatch.setattr(health, "REUSE_S", 0.0)


async def test_second_process_without_redis_is_not_ready(settings, caplog):
    settings.REDIS_URLS = []
    assert (await ready())[0] == 200
    me = await Process.objects.aget()
    other = Process(run="other", name="elsewhere:7", alone=True)
    other.started_at = me.started_at - timedelta(hours=1)
    # It was killed before we came: its last word is older than our first.
    other.seen_at = me.started_at - timedelta(seconds=1)
    await other.asave()
    assert (await ready())[0] == 200
    await Process.objects.filter(run="other").aupdate(seen_at=Now())
    status, states = await ready()
    assert (status, states["neighbours"]) == (503, "failed")
    assert "elsewhere:7 and this process" in caplog.text
    assert "REDIS_URL" in caplog.text
    await Process.objects.filter(run="other").aupdate(started_at=Now())
    assert (await ready())[0] == 200, "the older one goes on"
    await Process.objects.filter(run="other").aupdate(alone=False)
    assert (await ready())[0] == 503, "one with Redis has the others"


async def test_processes_with_redis_share_a_database(settings):
    settings.REDIS_URLS = ["redis://127.0.0.1"]
    await sync_to_async(processes.beat)()
    await Process.objects.acreate(run="other", name="elsewhere:7", alone=False)
    await sync_to_async(processes.meet)()


async def test_database_without_a_migration_is_not_ready(monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr(MigrationRecorder, "applied_migrations", lambda recorder: {})
        status, states = await ready()
    assert (status, states["schema"]) == (503, "failed")
    assert "manage.py migrate" in caplog.text
    assert (await ready())[1]["schema"] == "ok"


async def test_process_without_gathered_files_is_not_ready(monkeypatch, caplog):
    monkeypatch.setattr(shared_files, "staticfiles_storage", SimpleNamespace(hashed_files={}))
    status, states = await ready()
    assert (status, states["files"]) == (503, "failed")
    assert "manage.py collectstatic" in caplog.text


async def test_static_files_of_a_running_process_are_kept(monkeypatch):
    long_ago = timezone.now() - 2 * shared_files.KEEP
    for name in ("ours.0123456789ab.js", "theirs.0123456789ab.js"):
        await Asset.objects.acreate(name=name, packed=b"", seen_at=long_ago)
    storage = SimpleNamespace(hashed_files={"ours.js": "ours.0123456789ab.js"})
    monkeypatch.setattr(shared_files, "staticfiles_storage", storage)
    await sync_to_async(shared_files.publish)()
    assert not shared_files.is_due()
    kept = await Asset.objects.aget()
    assert kept.name == "ours.0123456789ab.js"
    assert kept.seen_at > long_ago
    monkeypatch.setattr(shared_files, "HEARTBEAT_INTERVAL_S", 0.0)
    assert shared_files.is_due()
