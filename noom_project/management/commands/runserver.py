"""`manage.py runserver`: daphne's development server, with Noom's bounds."""

from argparse import ArgumentParser
from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand
from django.core.management.color import no_style

from noom_project.server.server import Server
from noom_project.server.startup import hide_debug_pages, require_redis


class Command(DaphneCommand):
    """daphne's command, which also refuses to start without its configured Redis."""

    server_cls = Server

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        # WhiteNoise serves static files in development too: compressed, and read for each request.
        parser.set_defaults(use_static_handler=False)

    def inner_run(self, *args: Any, **options: Any) -> None:
        require_redis()
        hide_debug_pages(self.addr)
        self.style = no_style()  # a log line has no control characters, not even for colours
        super().inner_run(*args, **options)
