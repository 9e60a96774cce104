"""`manage.py run_https`: Noom over https, without which phones give no camera."""

import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from twisted.internet.endpoints import quoteStringArgument

from noom_project.asgi import application
from noom_project.local.certificate import load_or_create_certificate
from noom_project.local.defaults import own_addresses
from noom_project.server import run
from noom_project.server.startup import hide_debug_pages

DEFAULT_PORT = 8443
EVERYWHERE = "0.0.0.0"  # noqa: S104 - phones come from the network


def _with_scheme(application: Any) -> Any:
    """Adds the scheme of sockets, which daphne omits and the origin check needs."""

    async def told(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scheme = "wss" if scope["type"] == "websocket" else "https"
        await application({**scope, "scheme": scheme}, receive, send)

    return told


class Command(BaseCommand):
    help = "Serves Noom over https with a self-signed certificate, for phones on the same network."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        hide_debug_pages(EVERYWHERE)
        name = socket.gethostname()
        hosts = ["localhost", name, f"{name}.local", *own_addresses()]
        pem = quoteStringArgument(
            str(load_or_create_certificate(settings.VAR_DIR / "https.pem", hosts))
        )
        endpoint = f"ssl:{port}:interface={EVERYWHERE}:privateKey={pem}:certKey={pem}"
        served = _with_scheme(application)
        run.run_server(served, endpoint, ready=lambda: self._invite(port))

    def _invite(self, port: int) -> None:
        """Prints the addresses to open; loopback only if there is no network."""
        around = [ip for ip in own_addresses() if ":" not in ip and not ip.startswith("127.")]
        for host in around or ["localhost"]:
            self.stdout.write(f"Noom: open https://{host}:{port}/")
        self.stdout.write("The browser will warn of the certificate, which this machine signed.")
        self.stdout.flush()
