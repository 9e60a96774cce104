"""The proxies of docs/operating.md, on free ports.

They are Debian's programs with the files of deploy/.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from noom_project.local.certificate import load_or_create_certificate
from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT, free_port, listens
from tests.support.waiting import until

SITE = "meet.example.org"
UPSTREAMS = ("127.0.0.1:8001", "127.0.0.1:8002")
START_S, STOP_S = 15, 10 * PATIENCE
MODULES = Path("/usr/lib/apache2/modules")
APACHE_MODULES = (
    *("mpm_event", "authz_core", "ssl", "headers", "proxy", "proxy_http", "proxy_balancer"),
    *("lbmethod_byrequests", "slotmem_shm", "socache_shmcb", "alias"),
)

Edit = tuple[str, str]  # a pattern in a configuration, and its replacement


class Kind(NamedTuple):
    """A program, the file of deploy/ that it reads, and its usual mistakes."""

    program: str
    file: str
    mistakes: dict[str, Sequence[Edit]]


KINDS = {
    "nginx": Kind(
        "nginx",
        "nginx.conf",
        {
            "no upgrade": [(r"\tproxy_set_header (Upgrade|Connection) .*\n", "")],
            "no scheme": [(r"\tproxy_set_header X-Forwarded-Proto .*\n", "")],
            "no port": [(r"\$http_host", "$host")],
            "other host": [(r"\tproxy_set_header Host .*\n", "")],
            "impatient": [(r"_timeout 75s", "_timeout 3s")],
            "old http": [(r"\tproxy_http_version .*\n", "")],
            "buffered": [
                (r"(\tproxy_http_version)", r"\tproxy_ignore_headers X-Accel-Buffering;\n\1"),
                (r"(\tproxy_set_header )Upgrade .*\n", ""),
            ],
        },
    ),
    "apache": Kind(
        "apache2",
        "apache.conf",
        {
            "no upgrade": [(r" upgrade=websocket", "")],
            "no scheme": [(r"\tRequestHeader set X-Forwarded-Proto .*\n", "")],
            "other host": [(r"\tProxyPreserveHost On\n", "")],
        },
    ),
    "haproxy": Kind(
        "haproxy",
        "haproxy.cfg",
        {
            "no scheme": [(r"\thttp-request set-header X-Forwarded-Proto .*\n", "")],
            "no address": [(r"\toption forwardfor\n", "")],
        },
    ),
    "caddy": Kind(
        "caddy",
        "Caddyfile",
        {
            "no scheme": [(r"(\t\tlb_policy)", r"\t\theader_up -X-Forwarded-Proto\n\1")],
            "other host": [(r"(\t\tlb_policy)", r"\t\theader_up Host {upstream_hostport}\n\1")],
        },
    ),
}


class ProxyServer:
    """One proxy at `url`, in front of the processes at these ports."""

    def __init__(
        self, name: str, folder: Path, ports: Sequence[int], edits: Sequence[Edit] = ()
    ) -> None:
        self._kind = KINDS[name]
        self._folder = folder
        self.port = free_port()
        self.plain_port = free_port()
        self.url = f"https://localhost:{self.port}"
        self._upstreams = [f"127.0.0.1:{port}" for port in ports]
        self._edits = edits
        self._process: subprocess.Popen[bytes] | None = None
        folder.chmod(0o755)  # Apache's workers run as another user
        pem = load_or_create_certificate(folder / "both.pem", ["localhost", "127.0.0.1"])
        self.authority = pem

    @property
    def log(self) -> str:
        return "".join(file.read_text(errors="replace") for file in self._folder.glob("*.log"))

    def start(self) -> None:
        """Return when it listens."""
        write = getattr(self, f"_write_{self._kind.program}")
        command = write(self._edited())
        with (self._folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment()},
                start_new_session=True,
            )
        until(self._answers, f"{self._kind.program} to listen", seconds=START_S)

    def stop(self) -> None:
        """End the proxy and its children, which share one session."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(STOP_S)

    def _answers(self) -> bool:
        assert self._process, "the proxy was not started"
        assert self._process.poll() is None, self.log
        return listens(self.port)

    def _edited(self) -> str:
        """Return the file of deploy/ with this machine's ports, and with the mistakes."""
        text = (ROOT / "deploy" / self._kind.file).read_text()
        for pattern, replacement in self._edits:
            text, count = re.subn(pattern, replacement, text)
            assert count, f"{pattern!r} is not in deploy/{self._kind.file}"
        for documented, ours in zip(UPSTREAMS, self._upstreams, strict=True):
            text = text.replace(documented, ours)
        pem = str(self.authority)
        for path in (
            f"/etc/letsencrypt/live/{SITE}/fullchain.pem",
            f"/etc/letsencrypt/live/{SITE}/privkey.pem",
            f"/etc/haproxy/{SITE}.pem",
        ):
            text = text.replace(path, pem)
        return text.replace(SITE, "localhost")

    def _environment(self) -> dict[str, str]:
        return {
            "NOOM_SITE": self.url,
            "NOOM_UPSTREAMS": " ".join(self._upstreams),
            "XDG_DATA_HOME": str(self._folder),
            "XDG_CONFIG_HOME": str(self._folder),
        }

    def _write_nginx(self, site: str) -> list[str]:
        site = site.replace("listen 443", f"listen 127.0.0.1:{self.port}")
        site = site.replace("listen 80", f"listen 127.0.0.1:{self.plain_port}")
        folder = self._folder
        paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in paths)
        (folder / "site.conf").write_text(site)
        (folder / "nginx.conf").write_text(
            f"pid {folder}/pid;\nerror_log {folder}/error.log;\ndaemon off;\nuser root;\n"
            "worker_processes 1;\nevents {}\n"
            f"http {{\naccess_log off;\n{temporary}include {folder}/site.conf;\n}}\n"
        )
        return [_program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]

    def _write_apache2(self, site: str) -> list[str]:
        site = site.replace("*:443", f"127.0.0.1:{self.port}")
        site = site.replace("*:80", f"127.0.0.1:{self.plain_port}")
        folder = self._folder
        modules = "".join(
            f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in APACHE_MODULES
        )
        account = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        (folder / "apache.conf").write_text(
            f"{modules}{account}ServerName localhost\nServerRoot {folder}\n"
            f"PidFile {folder}/pid\nErrorLog {folder}/error.log\nDefaultRuntimeDir {folder}\n"
            f"Listen 127.0.0.1:{self.port}\nListen 127.0.0.1:{self.plain_port}\n"
            f"StartServers 1\nThreadsPerChild 64\nMaxRequestWorkers 64\n{site}"
        )
        return [_program("apache2"), "-f", str(folder / "apache.conf"), "-DFOREGROUND"]

    def _write_haproxy(self, site: str) -> list[str]:
        site = site.replace("bind :443", f"bind 127.0.0.1:{self.port}")
        site = site.replace("bind :80", f"bind 127.0.0.1:{self.plain_port}")
        (self._folder / "haproxy.cfg").write_text(site)
        return [_program("haproxy"), "-db", "-f", str(self._folder / "haproxy.cfg")]

    def _write_caddy(self, site: str) -> list[str]:
        own = "{\n\tadmin off\n\tauto_https disable_redirects\n"
        site = site.replace("{\n\tservers", f"{own}\tservers", 1)
        begins = "{$NOOM_SITE:localhost} {\n"
        site = site.replace(begins, f"{begins}\ttls {self.authority} {self.authority}\n", 1)
        (self._folder / "Caddyfile").write_text(site)
        file = str(self._folder / "Caddyfile")
        return [_program("caddy"), "run", "--adapter", "caddyfile", "--config", file]


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"install {name}, or run `make test`"
    return found
