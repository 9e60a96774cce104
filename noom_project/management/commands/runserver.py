"""`manage.py runserver`: daphne's development server, on the guarded server."""

from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand

from noom_project.server import Server
from noom_project.startup import require_redis


class Command(DaphneCommand):
    """As daphne's, and it says so if Redis is configured and away."""

    server_cls = Server

    def inner_run(self, *args: Any, **options: Any) -> None:
        require_redis()
        super().inner_run(*args, **options)
