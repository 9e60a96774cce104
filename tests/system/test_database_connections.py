"""How many connections to PostgreSQL a process has, whatever strangers do."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import psycopg
import pytest

from chat.storage import database
from noom_project.page_threads import THREADS
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import ROOT
from tests.support.servers.logs import assert_no_failure
from tests.support.servers.postgres import Postgres
from tests.support.servers.production import as_operated
from tests.support.waiting import until

pytestmark = pytest.mark.live

STRANGERS, KNOCKS = 24, 2
OURS = sum(pool._max_workers for pool in database._pools.values())


@pytest.fixture
def process(tmp_path, postgres: Postgres) -> Iterator[Process]:
    process = Process(tmp_path, **{**as_operated(), "DEBUG": "1", "DATABASE_URL": postgres.url})
    process.start()
    yield process
    process.stop()


def connections(postgres: Postgres) -> int:
    """To its database, but for the one that asks."""
    with psycopg.connect(postgres.url) as asking:
        found = asking.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(found[0]) if found else 0


def knock(url: str) -> int:
    """Tries wrong passwords; how often the door was answered."""
    opener, answers = build_opener(HTTPCookieProcessor(CookieJar())), 0
    with opener.open(f"{url}/admin/login/", timeout=60 * PATIENCE) as page:
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[0]
    form = urlencode({"csrfmiddlewaretoken": token, "username": "x", "password": "wrong"})
    for _ in range(KNOCKS):
        request = Request(f"{url}/admin/login/", form.encode(), {"Referer": url})
        try:
            opener.open(request, timeout=60 * PATIENCE).close()
        except HTTPError as locked_out:
            locked_out.close()
        answers += 1
    return answers


def test_failed_admin_logins_take_no_database_connections(process, postgres):
    most = 0
    with ThreadPoolExecutor(STRANGERS) as pool:
        knocking = [pool.submit(knock, process.url) for _ in range(STRANGERS)]
        while not all(one.done() for one in knocking):
            most = max(most, connections(postgres))
    assert sum(one.result() for one in knocking) == STRANGERS * KNOCKS
    assert 0 < most <= THREADS + OURS
    # Those of the pages end with their requests; a thread that is still here keeps none.
    until(lambda: connections(postgres) <= OURS, "the pages' connections to end")
    assert_no_failure(process.log)
    assert len(os.listdir(f"/proc/{process.pid}/task")) < 40


ASK = """
from django.db import connection
from noom_project.postgresql.patience import Patience
import socket
Patience.limit()
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    print(cursor.fetchone()[0])
line = socket.socket(fileno=connection.connection.pgconn.socket)
print(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
print(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))
line.detach()
"""


@pytest.mark.parametrize(
    ("query", "options"),
    [("", ["7s", "10000", "5"]), ("?tcp_user_timeout=3000", ["7s", "3000", "5"])],
)
def test_database_connection_times_out_on_a_silent_host(postgres, query, options):
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", ASK],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": postgres.url + query, "DATABASE_TIMEOUT_S": "7"},
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
    )
    assert done.stdout.split() == options, done.stderr
