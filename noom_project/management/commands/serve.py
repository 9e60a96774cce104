"""`manage.py serve`: one server process of production, of one or several."""

import logging
from argparse import ArgumentParser
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from django.core.management.base import BaseCommand

from noom_project.asgi import application
from noom_project.server import run
from noom_project.server.startup import require_privacy, tell_systemd

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Serves pages and sockets until SIGTERM, then makes every page reconnect."""

    help = "Serve Noom. SIGTERM ends it gracefully: every page reconnects."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("-b", "--bind", default="127.0.0.1", help="address (127.0.0.1)")
        parser.add_argument("-p", "--port", type=int, default=8000, help="port (8000)")

    def handle(self, *args: Any, bind: str, port: int, **options: Any) -> None:
        require_privacy(bind)

        def ready() -> None:
            log.info("Noom serves http://%s:%s/", bind, port)
            tell_systemd("READY=1")

        (endpoint,) = build_endpoint_description_strings(host=bind, port=port)
        run.run_server(application, endpoint, ready=ready)
