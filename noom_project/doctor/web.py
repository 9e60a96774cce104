"""HTTP requests of the doctor: the unchanged answer, or the reason for none."""

import asyncio
import http.client
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from noom_project.doctor.findings import words

ANSWER_S = 10.0  # without a byte; then the request fails
MAX_BYTES = 1_000_000  # of a body; the rest is not read


class Answer(NamedTuple):
    """The answer to a request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class NoAnswer(Exception):
    """A request without an answer; `why` and `advice` are for people."""

    def __init__(self, why: str, advice: str) -> None:
        super().__init__(why)
        self.why, self.advice = why, advice


class Site:
    """An address of Noom, such as `https://meet.example.org`."""

    def __init__(self, url: str, authority: str = "") -> None:
        where = urlsplit(url)
        self.origin = f"{where.scheme}://{where.netloc}".lower()
        self.context = ssl.create_default_context() if where.scheme == "https" else None
        if authority and self.context:
            self.context.load_verify_locations(authority)

    @property
    def sockets(self) -> str:
        """Returns the origin of its WebSockets."""
        return self.origin.replace("http", "ws", 1)

    async def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Returns the answer, also a redirect. Raises NoAnswer."""
        return await asyncio.to_thread(self._ask, path, method, headers or {}, body)

    def _ask(self, path: str, method: str, headers: Mapping[str, str], body: bytes) -> Answer:
        where = urlsplit(urljoin(self.origin, path))
        connection: http.client.HTTPConnection
        if where.scheme == "https":
            context = self.context or ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                str(where.hostname), where.port, timeout=ANSWER_S, context=context
            )
        else:
            connection = http.client.HTTPConnection(
                str(where.hostname), where.port, timeout=ANSWER_S
            )
        target = where.path + (f"?{where.query}" if where.query else "")
        try:
            connection.request(method, target or "/", body or None, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read(MAX_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise explained(error, where.netloc) from error
        finally:
            connection.close()


def explained(error: BaseException, place: str) -> NoAnswer:
    """Returns the reason for a failed connection, in words."""
    match error:
        case socket.gaierror():
            return NoAnswer(f"no DNS has the name of {place}", "Add the name to your DNS.")
        case ssl.SSLCertVerificationError():
            advice = "Get a certificate for this very name; for one of your own, pass --ca FILE."
            return NoAnswer(f"its certificate is not trusted ({error.verify_message})", advice)
        case ssl.SSLError():
            advice = "See that the proxy speaks https at this port."
            return NoAnswer(f"it speaks no TLS there ({words(error)})", advice)
        case ConnectionRefusedError():
            return NoAnswer(f"nothing listens at {place}", "Start the proxy; see its port.")
        case TimeoutError():
            advice = "See firewalls, and that the proxy reaches Noom's processes."
            return NoAnswer(f"no answer within {ANSWER_S:.0f} s", advice)
        case _:
            return NoAnswer(words(error), "See that this is the address of Noom's proxy.")
