"""Checks of settings that name a host, an origin or a service."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from call.protocol import IceServer
from chat.realtime import redis_client

REDIS_SCHEMES = ("redis", "rediss", "unix")
SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")
POSTGRES_SCHEMES = ("postgres", "postgresql")
MAX_PORT = 65_535
ESCAPE = "write characters of a password that mean something in an address as %XX"

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?i){_LABEL}(\.{_LABEL})*\.?")
_RELAY = re.compile(
    r"(?i)(?P<scheme>stuns?|turns?):(?P<host>[^?/@]+)(?P<query>\?transport=(udp|tcp))?"
)


class Wrong(Exception):
    """A value that cannot work; the text says how to correct it."""


def is_host(text: str) -> bool:
    """Whether the whole text is a host name or an IP address (IPv6 in brackets)."""
    if text.startswith("["):
        return text.endswith("]") and _is_ip(text[1:-1], 6)
    return len(text) <= 253 and (_is_ip(text, 4) or bool(_NAME.fullmatch(text)))


def check_allowed_host(text: str) -> None:
    """Checks an allowed host of Django: `*`, and `.` before a name, mean many."""
    if text == "*" or is_host(text.removeprefix(".")):
        return
    if "://" in text:
        raise Wrong(f"name the host alone, without {text.partition('://')[0]}://")
    if not text.isascii():
        raise Wrong(f"name {text!a} as browsers send it{_punycode(text)}")
    raise Wrong(f"name hosts alone, without port and path, for {text!r} is no host")


def check_origin(text: str) -> None:
    """Checks an origin: a scheme, a host, optionally a port."""
    where = _split(text)
    host, port = _host_and_port(where.netloc)
    if where.scheme not in ("http", "https") or not is_host(host):
        raise Wrong("name origins with their scheme, such as https://meet.example.org")
    _check_port(port)
    if where.path or where.query or where.fragment:
        raise Wrong("take out what follows the host and the port, also a slash at the end")
    if text != text.lower():
        raise Wrong("write it in small letters, as browsers do")


def check_database(text: str) -> None:
    """Checks the URL of a SQLite file or of a PostgreSQL database."""
    where = _split(text)
    if where.scheme == "sqlite":
        if where.netloc or not where.path.strip("/") or where.query or where.fragment:
            raise Wrong("name the file as sqlite:////its/whole/path")
        if not Path(unquote(where.path[1:])).parent.is_dir():
            raise Wrong("make the folder of the file first, for it is not there")
        return
    if where.scheme not in POSTGRES_SCHEMES:
        raise Wrong("begin it with sqlite:/// or postgres://")
    if where.fragment:
        raise Wrong(ESCAPE)
    if not unquote(where.path).strip("/"):
        raise Wrong("name the database behind the host: postgres://USER:PASSWORD@HOST/DATABASE")
    for place in where.netloc.rpartition("@")[2].split(","):
        host, port = _host_and_port(unquote(place))
        if host and not host.startswith("/") and not is_host(host):
            raise Wrong(f"its host is not one; {ESCAPE}")
        _check_port(port)


def check_redis(text: str) -> None:
    """Checks the URL of a Redis, on a host, at a socket or behind Sentinels."""
    where = _split(text)
    if where.scheme in SENTINEL_SCHEMES:
        _check_sentinels(text)
        return
    if where.scheme not in REDIS_SCHEMES:
        raise Wrong(f"begin it with {', '.join(f'{scheme}://' for scheme in REDIS_SCHEMES)}")
    if where.fragment:
        raise Wrong(ESCAPE)
    if where.scheme == "unix":
        if not where.path.strip("/"):
            raise Wrong("name the socket: unix:///run/redis/redis.sock")
        return
    host, port = _host_and_port(where.netloc.rpartition("@")[2])
    if not is_host(host):
        raise Wrong(f"its host is not one; {ESCAPE}")
    _check_port(port)
    if not re.fullmatch(r"/?[0-9]{0,4}/?", where.path):
        raise Wrong("name the number of the database, or nothing, behind the host")


def _check_sentinels(text: str) -> None:
    try:
        redis_client.watched(text)
    except ValueError as error:
        raise Wrong(f"it is no address of Sentinels ({error}); {ESCAPE}") from error


def check_turn(text: str) -> None:
    """Checks the URL of a relay."""
    _check_relay(text, ("turn", "turns"))


def check_ice_servers(found: Any) -> None:
    """Checks a list of ICE servers; with a malformed one every call would fail."""
    try:
        servers = msgspec.convert(found, list[IceServer])
    except msgspec.ValidationError as error:
        raise Wrong(f'set it to a list such as [{{"urls": ["stun:HOST"]}}] ({error})') from error
    for server in servers:
        for url in server.urls:
            _check_relay(url, ("stun", "stuns", "turn", "turns"))


def _check_relay(text: str, schemes: tuple[str, ...]) -> None:
    found = _RELAY.fullmatch(text)
    if not found or found["scheme"].lower() not in schemes:
        raise Wrong(f"name addresses that begin with {' or '.join(f'{s}:' for s in schemes)}")
    host, port = _host_and_port(found["host"])
    if not is_host(host):
        raise Wrong(f"name a host, for {host!r} is none")
    _check_port(port)


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as error:
        raise Wrong(f"it is no address ({error})") from error


def _host_and_port(place: str) -> tuple[str, str | None]:
    """Splits `host:port`; the port is None if none is named."""
    host, colon, port = place.rpartition(":")
    if not colon or (place.startswith("[") and place.endswith("]")):
        return place, None
    return host, port


def _check_port(port: str | None) -> None:
    if port is None or (re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) <= MAX_PORT):
        return
    raise Wrong(f"its port is no number from 1 to {MAX_PORT}; {ESCAPE}")


def _is_ip(text: str, version: int) -> bool:
    try:
        return ip_address(text).version == version
    except ValueError:
        return False


def _punycode(text: str) -> str:
    try:
        return f": {text.encode('idna').decode()}"
    except UnicodeError:
        return ""
