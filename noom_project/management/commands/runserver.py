"""`manage.py runserver`: daphne's development server, on the guarded server."""

from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand
from django.core.management.color import no_style

from noom_project.server import Server
from noom_project.startup import require_redis


class Command(DaphneCommand):
    """As daphne's, and it says so if Redis is configured and away."""

    server_cls = Server

    def inner_run(self, *args: Any, **options: Any) -> None:
        require_redis()
        self.style = no_style()  # a log line has no control characters, not even for colours
        super().inner_run(*args, **options)
