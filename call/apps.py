"""Django app of calls in rooms."""

from django.apps import AppConfig


class CallConfig(AppConfig):
    name = "call"
    verbose_name = "Calls"

    def ready(self) -> None:
        from call import checks  # noqa: F401 - checks register when they are imported
