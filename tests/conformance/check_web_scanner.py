"""wapiti looks for holes in every page of a Noom in production, the admin's too, behind Caddy."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clients.admin_client import NAME, PASSWORD, make_superuser
from tests.support.servers.dev_server import ROOT, free_port, listens
from tests.support.servers.production import start_production
from tests.support.waiting import until

SCANNER = ROOT / "var" / "judges" / "bin" / "wapiti"
# Those that ask nobody outside. Not csrf: it sends two Content-Type headers, so that every form is
# refused, and takes that for a form that anybody may send. Not methods: it reports every answer to
# OPTIONS, a refusal too.
MODULES = (
    "backup,cookieflags,crlf,csp,exec,file,htaccess,http_headers,ldap,log4shell,permanentxss,"
    "redirect,shellshock,sql,timesql,upload,xss"
)
MODULE_S = 12  # the longest for each
CRAWL_S = 45


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of a Noom with deploy/Caddyfile in front, and a superuser."""
    port, plain = free_port(), free_port()
    url = f"https://localhost:{port}"
    noom = start_production(
        tmp_path,
        ALLOWED_HOSTS="localhost",
        SECURE_SSL_REDIRECT="1",
        SECURE_HSTS_SECONDS="31536000",
    )
    make_superuser(noom)
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    # Ports of this machine's choice, and a certificate of Caddy's own.
    own = f"admin off\nlocal_certs\nskip_install_trust\nhttp_port {plain}\nhttps_port {port}"
    (tmp_path / "Caddyfile").write_text(caddyfile.replace("{\n", f"{{\n{own}\n", 1))
    environment = {"NOOM_SITE": "localhost", "NOOM_UPSTREAMS": f"127.0.0.1:{noom.port}"}
    environment |= {"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with (tmp_path / "caddy.log").open("wb") as log:
        caddy = subprocess.Popen(
            ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
            cwd=tmp_path,
            env={**noom.environment, **environment},
            stderr=log,
        )
    try:
        until(lambda: listens(port), "Caddy", seconds=20)
        yield url
    finally:
        caddy.terminate()
        caddy.wait(15)
        noom.stop()


@pytest.mark.timeout(900)
def test_wapiti_finds_nothing(site: str, tmp_path: Path):
    report = tmp_path / "report.json"
    pages = ["/", "/rooms/found/", "/rooms/found/?nickname=Nova", "/admin/", "/nowhere/"]
    scan = [str(SCANNER), "--url", f"{site}/", "--module", MODULES, "--format", "json"]
    scan += [word for page in pages for word in ("--start", site + page)]
    scan += ["--form-cred", f"{NAME}%{PASSWORD}", "--form-url", f"{site}/admin/login/"]
    scan += ["--exclude", f"{site}/admin/logout/", "--output", str(report), "--no-bugreport"]
    scan += ["--max-scan-time", str(CRAWL_S), "--max-attack-time", str(MODULE_S), "--tasks", "4"]
    scan += ["--store-session", str(tmp_path / "session"), "--store-config", str(tmp_path / "own")]
    said = subprocess.run(scan, capture_output=True, text=True, timeout=850)
    assert report.exists(), said.stdout[-3000:] + said.stderr[-3000:]
    told = json.loads(report.read_text())
    assert told["infos"]["crawled_pages_nbr"] > 20, "hardly a page was seen"
    assert told["infos"]["auth"]["logged_in"], "the admin's pages were not seen"
    kinds = ("vulnerabilities", "anomalies", "additionals")
    found = {
        name: [(finding["path"], finding["info"]) for finding in findings]
        for kind in kinds
        for name, findings in told[kind].items()
        if findings
    }
    assert found == {}
