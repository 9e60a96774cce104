"""The ASGI application: Django serves pages, consumers serve sockets."""

import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "noom_project.settings")
django.setup()

from call.consumers import CallConsumer  # noqa: E402 - models need Django to be set up
from chat.consumers import ChatConsumer, LobbyConsumer  # noqa: E402
from chat.http_transport.application import HttpTransport  # noqa: E402
from noom_project.monitoring.endpoints import MonitoringEndpoints  # noqa: E402
from noom_project.page_threads import Viewers  # noqa: E402
from noom_project.security.headers import SafeHeaders  # noqa: E402
from noom_project.security.origin import OwnOrigin, ask_for_upgrade, refuse  # noqa: E402

sockets = URLRouter(
    [
        path("ws/lobby/", LobbyConsumer.as_asgi()),
        path("ws/chat/<str:key>/", ChatConsumer.as_asgi()),
        path("ws/call/<str:key>/", CallConsumer.as_asgi()),
        re_path("", refuse),  # type: ignore[arg-type]  # not a view
    ]
)
pages = URLRouter(
    [
        path("ws/<path:socket>", ask_for_upgrade),  # type: ignore[arg-type]  # not a view
        path("http/<path:socket>", OwnOrigin(HttpTransport(sockets))),  # type: ignore[arg-type]
        re_path("", MonitoringEndpoints(Viewers())),  # type: ignore[arg-type]
    ]
)
application = ProtocolTypeRouter({"http": SafeHeaders(pages), "websocket": OwnOrigin(sockets)})
