"""Django app of rooms, participants and messages."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("Rooms and messages")

    def ready(self) -> None:
        from chat import checks, proxy_checks  # noqa: F401 - checks register when they are imported
