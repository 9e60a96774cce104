"""Origin checks: sockets are for Noom's own pages and for configured origins."""

import re
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from chat.realtime.rate_limits import client_address, forwarded_for
from noom_project.security.refused_requests import Fault, report, shown

Application = Callable[[Mapping[str, Any], Any, Any], Awaitable[None]]
Headers = Mapping[bytes, list[str]]

# The page reads the reason of its refusal in it (static/js/transport/http-request.js).
REASON_HEADER = b"noom-refused"
SOCKET_HEADER = b"sec-websocket-key"


class OwnOrigin:
    """Refuses a socket whose Origin differs from Noom's in scheme, host or port.

    This holds for WebSockets and for the HTTP transport. Channels' own validator compares hosts
    alone, so a page on another port or on plain http passes it. A handshake without Origin is
    refused too: every browser sends one, and programs can.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        headers = _headers(scope)
        fault = refusal(scope, headers)
        if fault is None:
            _look_at_proxies(scope, headers)
            await self.application(scope, receive, send)
        else:
            report(fault)
            await refuse(scope, receive, send, fault.reason)


async def refuse(scope: Mapping[str, Any], receive: Any, send: Any, reason: str = "") -> None:
    """Answers 403, with the reason in a header if there is one."""
    if scope["type"] == "http":
        headers = [(b"content-length", b"0")]
        headers += [(REASON_HEADER, reason.encode())] if reason else []
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
    else:
        await receive()
        await send({"type": "websocket.close"})


async def ask_for_upgrade(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
    """Answers a plain HTTP request for a socket's address with 426."""
    if SOCKET_HEADER in _headers(scope):
        # A proxy without WebSockets drops Upgrade alone, because it is a header of one hop.
        advice = (
            "The proxy has to pass Upgrade and Connection on (docs/operating.md has a tested"
            " configuration of each proxy). Pages go on by HTTP requests meanwhile"
        )
        report(Fault("no_upgrade", f"path {shown(scope['path'])}", advice + "."))
    headers = [(b"content-length", b"0"), (b"upgrade", b"websocket")]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def refusal(scope: Mapping[str, Any], headers: Headers | None = None) -> Fault | None:
    """Returns the fault of a request's Origin; None if it is allowed."""
    headers = _headers(scope) if headers is None else headers
    origins, hosts = headers.get(b"origin", []), headers.get(b"host", [])
    scheme = _scheme(scope, headers)
    host = ",".join(hosts).lower()
    seen = _seen(origins, host, scheme, headers)
    if len(origins) != 1 or len(hosts) != 1:
        advice = "Browsers send one; a proxy must not remove it."
        return Fault("no_origin", seen, advice)
    origin = origins[0].lower()
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return None
    name, _ = split_domain_port(host)
    if validate_host(name, settings.ALLOWED_HOSTS):
        return None if origin == f"{scheme}://{host}" else _mismatch(origin, host, scheme, seen)
    return Fault("host", seen, _hosts_advice(origin))


def host_fault(scope: Mapping[str, Any]) -> Fault:
    """Returns the fault of a page whose Host is not in ALLOWED_HOSTS."""
    headers = _headers(scope)
    host = ",".join(headers.get(b"host", []))
    seen = _seen(headers.get(b"origin", []), host, _scheme(scope, headers), headers)
    return Fault("host", seen, _hosts_advice(",".join(headers.get(b"origin", []))))


def _seen(origins: list[str], host: str, scheme: str, headers: Headers) -> str:
    """Returns the values that the server understood, for the log."""
    told = ",".join(headers.get(b"x-forwarded-proto", []))
    return (
        f"Origin {shown(','.join(origins))}, Host {shown(host)}, scheme {scheme!r},"
        f" X-Forwarded-Proto {shown(told)}, TRUSTED_PROXIES {settings.TRUSTED_PROXIES}"
    )


def _hosts_advice(origin: str) -> str:
    name, _ = split_domain_port(origin.partition("://")[2])
    if validate_host(name, settings.ALLOWED_HOSTS):
        return "The proxy has to pass the browser's Host on as it came (nginx: $http_host)."
    return (
        "If this is a name of this server, add it to ALLOWED_HOSTS; if the proxy makes up this"
        " Host, let it pass the browser's on (nginx: $http_host)."
    )


def _mismatch(origin: str, host: str, scheme: str, seen: str) -> Fault:
    """Returns the difference between an origin and the address that the server sees."""
    theirs = re.fullmatch(r"(https?)://(\[[\da-f:.]+\]|[^/@:\[\]]+)(?::(\d+))?", origin, re.ASCII)
    name, port = split_domain_port(host)
    if theirs is None or theirs[2] != name:
        foreign = "If it is a page of yours, add its origin to CSRF_TRUSTED_ORIGINS."
        return Fault("foreign", seen, foreign)
    advice = []
    if wrong_port := (theirs[3] or "") != port:
        advice.append("The proxy has to pass Host on with its port (nginx: $http_host).")
    if theirs[1] != scheme:
        advice.append(_scheme_advice())
    return Fault("port" if wrong_port else "scheme", seen, " ".join(advice))


def _scheme_advice() -> str:
    if settings.TRUSTED_PROXIES:
        return "The proxy has to set X-Forwarded-Proto to the scheme that the browser uses."
    return (
        "Without TRUSTED_PROXIES no X-Forwarded-Proto counts: set TRUSTED_PROXIES to the number of"
        " your proxies, and let the proxy set that header."
    )


def _look_at_proxies(scope: Mapping[str, Any], headers: Headers) -> None:
    """Reports a TRUSTED_PROXIES that does not fit the entries of X-Forwarded-For."""
    entries, proxies = forwarded_for(scope), settings.TRUSTED_PROXIES
    if len(entries) == proxies or not (entries or proxies):
        return
    address = client_address(scope)
    seen = f"X-Forwarded-For {shown(', '.join(entries))}, TRUSTED_PROXIES {proxies}"
    if len(entries) < proxies:
        advice = f"Set TRUSTED_PROXIES to the number of proxies; {shown(address)} counts till then."
        report(Fault("too_many_proxies", seen, advice))
    elif _is_inside(address):
        advice = (
            f"If {shown(address)} is a proxy of yours, raise TRUSTED_PROXIES: all people behind it"
            " share the limits of one address."
        )
        report(Fault("too_few_proxies", seen, advice))


def _is_inside(address: str) -> bool:
    """Whether an address is in a private network, where an own proxy may be."""
    try:
        return ip_address(address).is_private
    except ValueError:
        return False


def _headers(scope: Mapping[str, Any]) -> dict[bytes, list[str]]:
    headers: dict[bytes, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name, []).append(value.decode("latin-1"))
    return headers


def _scheme(scope: Mapping[str, Any], headers: Headers) -> str:
    """Returns the browser's scheme: from a trusted proxy, else of the connection."""
    if settings.TRUSTED_PROXIES:
        told = headers.get(b"x-forwarded-proto", [""])
        return "https" if told == ["https"] else "http"
    return "https" if scope.get("scheme") in ("wss", "https") else "http"
