"""The app of rooms, people and messages."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "Rooms"

    def ready(self) -> None:
        from chat import checks, proxy_checks  # noqa: F401 - checks register when they are imported
