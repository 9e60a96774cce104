"""HTTP by hand: every byte as a test wants it.

A client library would correct it.
"""

import socket
from collections.abc import Mapping
from typing import NamedTuple

from tests.support.patience import PATIENCE

ANSWER_S = 10 * PATIENCE


class Answer(NamedTuple):
    """An answer; `headers` keeps the order of arrival, and repeated headers."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def ask(
    port: int,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    client: str = "127.0.0.1",
) -> Answer:
    """Send a request on a connection of its own, from an address of this machine."""
    sent = {"Host": f"127.0.0.1:{port}", "Connection": "close", **(headers or {})}
    if body:
        sent.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return send(port, head + body, client=client)


def shake_hands(
    port: int, path: str, *, client: str = "127.0.0.1", **headers: str | None
) -> Answer:
    """Ask for a WebSocket.

    A header that is None is left out; `_` in a name stands for `-`.
    """
    sent: dict[str, str | None] = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": f"http://127.0.0.1:{port}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    kept = {name: value for name, value in sent.items() if value is not None}
    return ask(port, path, headers=kept, client=client)


def send(port: int, data: bytes, *, client: str = "127.0.0.1") -> Answer:
    """Send bytes, and read an answer.

    Of an answer that opens a WebSocket, it reads the head only.
    """
    with socket.create_connection(
        ("127.0.0.1", port), ANSWER_S, source_address=(client, 0)
    ) as connection:
        connection.sendall(data)
        answer = b""
        while b"\r\n\r\n" not in answer or not answer.startswith(b"HTTP/1.1 101"):
            part = connection.recv(65_536)
            if not part:
                break
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines]
    return Answer(int(status.split()[1]), [(name, value.strip()) for name, _, value in pairs], body)
