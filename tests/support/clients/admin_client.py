"""A superuser's browser, without the browser.

It sends cookies and forms over a real connection.
"""

import os
import re
import subprocess
import sys
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT, Noom

NAME, PASSWORD = "admin", os.urandom(12).hex()


def make_superuser(noom: Noom) -> None:
    """Create an account with NAME and PASSWORD, unless the database has it already."""
    made = subprocess.run(
        [sys.executable, "manage.py", "createsuperuser", "--no-input"],
        cwd=ROOT,
        env={
            **noom.environment,
            "DJANGO_SUPERUSER_USERNAME": NAME,
            "DJANGO_SUPERUSER_EMAIL": "admin@noom.test",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        },
        check=False,
        capture_output=True,
        timeout=60 * PATIENCE,
    )
    assert made.returncode == 0 or b"already taken" in made.stderr, made.stderr


def fields_of(page: str) -> dict[str, str]:
    """Return the fields of a page's forms, as the server rendered them."""
    fields = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        is_box = attributes.get("type") == "checkbox"
        if "name" in attributes and (not is_box or " checked" in tag):
            fields[attributes["name"]] = attributes.get("value", "on" if is_box else "")
    return {name: value for name, value in fields.items() if not name.startswith(("_", "csrf"))}


class Admin:
    """A client that is logged in to the admin of one process."""

    def __init__(self, noom: Noom) -> None:
        make_superuser(noom)
        self._url = noom.url
        self._cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._cookies))
        self.get("/admin/login/")
        self.post("/admin/login/", username=NAME, password=PASSWORD, next="/admin/")

    @property
    def cookie(self) -> str:
        """Return the cookies as a header carries them."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)

    def get(self, path: str) -> str:
        """Return a page's text. Raise HTTPError."""
        with self._opener.open(self._url + path, timeout=30 * PATIENCE) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **fields: str) -> str:
        """Send a form, confirm its question, and return the page. Raise HTTPError."""
        page = self._send(path, **fields)
        if 'id="question"' in page:
            page = self._send(path, **fields, sure="yes")
        return page

    def _send(self, path: str, **fields: str) -> str:
        token = next(c.value for c in self._cookies if c.name == "csrftoken")
        data = urlencode({"csrfmiddlewaretoken": token or "", **fields}).encode()
        request = Request(self._url + path, data, {"Referer": self._url + path})
        with self._opener.open(request, timeout=30 * PATIENCE) as answer:
            text = str(answer.read().decode())
        assert not re.search(r"errornote", text), "the form was refused"
        return text
