"""`python -m tests.conformance.echo_server PORT [--stock]`: a WebSocket echo behind Noom's server.

With `--stock` by daphne's own, to see what Noom's mends.
"""

import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "noom_project.settings")
django.setup()

from daphne.server import Server as StockServer  # noqa: E402 - Django needs to be set up

from noom_project.server.server import Server  # noqa: E402

NO_PINGS = {"ping_interval": 3600.0}  # a case waits for its own frames, and for no others


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An ASGI application."""
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        else:
            await send({**message, "type": "websocket.send"})


if __name__ == "__main__":
    server = StockServer if "--stock" in sys.argv else Server
    server(echo, endpoints=[f"tcp:{sys.argv[1]}:interface=127.0.0.1"], **NO_PINGS).run()
