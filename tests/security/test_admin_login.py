"""The login of the admin: five wrong passwords lock an address and an account out."""

import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from itertools import count
from urllib.parse import urlencode

import pytest

from tests.support.clients.admin_client import NAME, PASSWORD, make_superuser
from tests.support.patience import PATIENCE
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import ROOT
from tests.support.servers.production import as_operated, gather_static_files

ALLOWED = 5
LOGIN = "/admin/login/"
TRIED, LOCKED, INSIDE = 200, 429, 302

pytestmark = pytest.mark.target("S19")


def log_in(
    process: Process, password: str, *, source: str = "127.0.0.1", name: str = NAME, **headers: str
) -> tuple[int, str]:
    """Log in with a name and a password from an address.

    Return the status and the text.
    """
    line = HTTPConnection(
        "127.0.0.1", process.port, timeout=30 * PATIENCE, source_address=(source, 0)
    )
    extra_headers = {header.replace("_", "-"): value for header, value in headers.items()}
    line.request("GET", LOGIN, headers=extra_headers)
    page = line.getresponse()
    page.read()
    cookie = SimpleCookie(page.headers["Set-Cookie"])["csrftoken"]
    form = {"csrfmiddlewaretoken": cookie.value, "username": name, "password": password}
    sent = {"Cookie": f"csrftoken={cookie.value}", "Referer": process.url + LOGIN, **extra_headers}
    sent["Content-Type"] = "application/x-www-form-urlencoded"
    line.request("POST", LOGIN, urlencode({**form, "next": "/admin/"}), sent)
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer.status, text


def test_sixth_wrong_password_is_not_tried_at_any_process(start_site, figure):
    site = start_site()
    first, second = site.processes
    make_superuser(first)
    forged = (dict.fromkeys(("X_Forwarded_For", "X_Real_IP"), f"198.51.100.{n}") for n in count())
    answers = [
        log_in(site.processes[n % 2], f"wrong {n}", name=f"admin{n}", **next(forged))[0]
        for n in range(ALLOWED + 3)
    ]
    assert answers[: ALLOWED - 1] == [TRIED] * (ALLOWED - 1)
    figure("passwords tried after the fifth", answers[ALLOWED:].count(TRIED), limit=0)
    assert answers[ALLOWED:] == [LOCKED] * 3
    for process in site.processes:
        status, text = log_in(process, PASSWORD, **next(forged))
        assert status == LOCKED
        assert "Too many wrong passwords" in text
        assert "15 minutes" in text
    # Another address is another person, outside the lock.
    assert log_in(second, PASSWORD, source="127.0.0.2")[0] == INSIDE
    unlock(first, "127.0.0.1")
    assert log_in(second, PASSWORD)[0] == INSIDE


def test_behind_a_proxy_it_is_the_peer_that_the_proxy_saw(start_site, figure):
    environment = {**as_operated(), "TRUSTED_PROXIES": "1"}
    gather_static_files(environment)
    site = start_site(**environment)
    make_superuser(site.processes[0])
    answers = [
        log_in(site.processes[n % 2], "wrong", X_Forwarded_For=f"203.0.113.{n}, 198.51.100.7")[0]
        for n in range(ALLOWED + 3)
    ]
    figure("passwords tried after the fifth", answers[ALLOWED:].count(TRIED), limit=0)
    near, far = "2001:db8:1:2::1", "2001:db8:1:3::1"
    for n in range(ALLOWED):
        log_in(site.processes[n % 2], "wrong", X_Forwarded_For=f"2001:db8:1:2::{n + 2}")
    statuses = [
        log_in(site.processes[0], PASSWORD, X_Forwarded_For=address)[0]
        for address in ("198.51.100.7", near, far, "198.51.100.8", "nonsense")
    ]
    assert statuses == [LOCKED, LOCKED, INSIDE, INSIDE, INSIDE]


def test_hundred_passwords_at_once_are_not_all_tried(start_site, figure):
    site = start_site()
    make_superuser(site.processes[0])

    def guess(number: int) -> int:
        return log_in(site.processes[number % 2], f"wrong {number}")[0]

    with ThreadPoolExecutor(50) as crowd:
        answers = Counter(crowd.map(guess, range(100)))
    assert answers.keys() <= {TRIED, LOCKED}
    # Each process checks one at a time, so the other may have one more in progress.
    figure("passwords tried of 100 sent at once", answers[TRIED], limit=ALLOWED + 1)


def unlock(process: Process, address: str) -> None:
    """Unlock as docs/operating.md says."""
    done = subprocess.run(
        [sys.executable, "manage.py", "axes_reset_ip", address],
        cwd=ROOT,
        env=process.environment,
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
        check=True,
    )
    assert re.search(r"[1-9]\d* attempts removed", done.stdout), done.stdout
