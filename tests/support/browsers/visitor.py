"""A client that shows the answer of an address and follows no redirect."""

import re
import subprocess
import sys
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import quote, urlencode, urlsplit

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT, Noom

PASSWORD = "x9-only-for-this-test"


class Visitor:
    """A browser at one server: it keeps cookies and sends forms with their tokens."""

    def __init__(self, noom: Noom) -> None:
        self._noom = noom
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, **form: str) -> tuple[int, str, str]:
        """Return the status, the target of a redirect, and the page."""
        if method == "POST":
            form["csrfmiddlewaretoken"] = self._form_token()
        target = urlsplit(self._noom.url)
        line = HTTPConnection(str(target.hostname), target.port, timeout=30 * PATIENCE)
        headers = {
            "Accept": "text/html",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Referer": self._noom.url + "/",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        line.request(method, quote(path, safe="/?=&%"), urlencode(form) if form else None, headers)
        answer = line.getresponse()
        page = answer.read().decode(errors="replace")
        for header in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
        line.close()
        return answer.status, answer.headers.get("Location") or "", page

    def log_in(self, name: str) -> None:
        """Log in with an account that `account` has created."""
        login = "/admin/login/"
        status, _, _ = self.ask("POST", login, username=name, password=PASSWORD, next="/admin/")
        assert status == 302, "the login was refused"

    def _form_token(self) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.ask("GET", "/")[2])
        assert found, "the welcome page has no form"
        return found[1]


def account(noom: Noom, name: str, *, admin: bool = False, may: str = "") -> None:
    """Create an account of the admin.

    Unless `admin` is set, the account has only the permission `may`.
    """
    make = "create_superuser" if admin else "create_user"
    script = (
        "from django.contrib.auth.models import Permission, User;"
        f"user = User.objects.{make}({name!r}, password={PASSWORD!r}, is_staff=True);"
        f"user.user_permissions.set(Permission.objects.filter(codename={may!r}))"
    )
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", script],
        cwd=ROOT,
        env=noom.environment,
        check=True,
        capture_output=True,
        timeout=60 * PATIENCE,
    )
