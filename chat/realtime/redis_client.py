"""The way to a Redis: by its address, or by the Sentinels that know the master."""

import asyncio
import re
import socket
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis import Redis as BlockingRedis
from redis import sentinel as blocking
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import (
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    parse_url,
)
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

SENTINEL_PORT = 26_379
SENTINEL_S = 0.5  # for the answer of one Sentinel; the next one is asked then
PING_EVERY_S = 5  # of a subscription on which nothing comes
PONG_S = 4.0  # past which its server counts as gone
SUBSCRIBERS_PING = ("PING", PubSub.HEALTH_CHECK_MESSAGE)
SENTINEL_URL = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?:(?P<login>[^/?#]*)@)?(?P<hosts>[^/?#@]+)"
    r"/(?P<service>[^/?#]+)(?:/(?P<db>\d+))?(?:\?(?P<query>.*))?"
)
# A host that dies without a word is noticed within 11 s; the kernel's own limits are hours, and for
# what was sent a quarter of an hour.
KEEPALIVE = {
    socket.TCP_KEEPIDLE: 5,
    socket.TCP_KEEPINTVL: 2,
    socket.TCP_KEEPCNT: 3,
    getattr(socket, "TCP_USER_TIMEOUT", 18): 10_000,  # ms
}


class Watched(NamedTuple):
    """A master by the name under which Sentinels watch it."""

    service: str
    sentinels: list[tuple[str, int]]
    of_sentinels: dict[str, Any]  # options of the connections to them
    of_master: dict[str, Any]


def split(text: str) -> list[str]:
    """The addresses in REDIS_URL: a comma parts two of them where a scheme follows, and else two
    Sentinels."""
    return [url.strip() for url in re.split(r",(?=\s*[a-z+]+://)", text) if url.strip()]


def watched(url: str) -> Watched | None:
    """What a `redis+sentinel://` or `rediss+sentinel://` address says; None for another scheme.

    Raises ValueError if it is broken.
    """
    if "+sentinel:" not in url.partition("//")[0]:
        return None
    found = SENTINEL_URL.fullmatch(url)
    if found is None:
        raise ValueError("expected redis+sentinel://[user:password@]host[:port],…/service[/db]")
    query = parse_qsl(found["query"] or "")
    own = {name.removeprefix("sentinel_"): v for name, v in query if name.startswith("sentinel_")}
    rest = urlencode([(name, v) for name, v in query if not name.startswith("sentinel_")])
    login = f"{found['login']}@" if found["login"] else ""
    options: dict[str, Any] = dict(
        parse_url(f"{found['scheme']}://{login}master/{found['db'] or 0}?{rest}")
    )
    for name in ("host", "connection_class"):
        options.pop(name, None)
    tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
    if found["scheme"] == "rediss":
        options["ssl"] = tls["ssl"] = True
    patience = {"socket_timeout": SENTINEL_S, "socket_connect_timeout": SENTINEL_S}
    addresses = [_address(host) for host in found["hosts"].split(",")]
    return Watched(unquote(found["service"]), addresses, {**patience, **tls, **own}, options)


def hosts(url: str) -> list[tuple[str, int]]:
    """Where it leads, without what is secret in it; nowhere for a socket in the file system."""
    if (master := watched(url)) is not None:
        return master.sentinels
    where = urlsplit(url)
    return [] if where.scheme == "unix" else [(where.hostname or "localhost", where.port or 6379)]


def shown(url: str) -> str:
    """The address for logs and errors."""
    places = ", ".join(f"{host}:{port}" for host, port in hosts(url)) or urlsplit(url).path
    master = watched(url)
    return f"{places} (master {master.service})" if master else places


def layer_host(url: str, **options: Any) -> dict[str, Any]:
    """The entry of channels-redis' `hosts` for an address, whose words outweigh the options."""
    if (master := watched(url)) is None:
        return {**options, **_connection(url)}
    return {
        "master_name": master.service,
        "sentinels": master.sentinels,
        "sentinel_kwargs": master.of_sentinels,
        **options,
        **_connection(url),
    }


def client(url: str, *, connections: int, patience_s: float, **options: Any) -> Redis:
    """A client with a bounded pool; a question waits this long for a free connection."""
    options = {**options, "max_connections": connections, "timeout": patience_s, **_connection(url)}
    if (master := watched(url)) is None:
        return Redis.from_pool(BlockingConnectionPool(**options))
    sentinel = _sentinel(master.sentinels, sentinel_kwargs=master.of_sentinels)
    return Redis.from_pool(_bounded_pool(master.service, sentinel, **options))


def blocking_client(url: str, **options: Any) -> BlockingRedis:
    """A client for code outside of the event loop."""
    if (master := watched(url)) is None:
        return BlockingRedis.from_url(url, **options)
    sentinel = _blocking_sentinel(master.sentinels, sentinel_kwargs=master.of_sentinels)
    found: BlockingRedis = sentinel.master_for(master.service, **{**master.of_master, **options})
    return found


class _BoundedSentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Stock redis-py's pool of a watched master raises an error when all connections are in use."""


class _Heard:
    """A connection that notices when the server of a subscription has fallen silent.

    Stock redis-py pings it and waits for no answer: with a server that stands still, or whose
    packets are dropped, a process would be deaf for as long. A subscription begins anew instead,
    at the master that the Sentinels name by then.
    """

    next_health_check: float

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        """Sends a command, or connects again in the place of a ping that comes too late."""
        stock: Any = super()
        this: Any = self
        now = asyncio.get_running_loop().time()
        if args == SUBSCRIBERS_PING and now - self.next_health_check > PONG_S:
            await this.disconnect()
            await this.connect()  # which subscribes again
        else:
            await stock.send_command(*args, **kwargs)


class _HeardTcp(_Heard, Connection):
    """By TCP."""


class _HeardTls(_Heard, SSLConnection):
    """By TLS."""


class _HeardFile(_Heard, UnixDomainSocketConnection):
    """By a socket in the file system."""


class _HeardMaster(_Heard, SentinelManagedConnection):
    """By TCP, at the master."""


class _HeardTlsMaster(_Heard, SentinelManagedSSLConnection):
    """By TLS, at the master."""


HEARD = {Connection: _HeardTcp, SSLConnection: _HeardTls, UnixDomainSocketConnection: _HeardFile}

# redis-py has no types for these.
_sentinel: Any = Sentinel
_blocking_sentinel: Any = blocking.Sentinel
_bounded_pool: Any = _BoundedSentinelPool


def _connection(url: str) -> dict[str, Any]:
    """What an address says of its connections, and their class."""
    options: dict[str, Any] = {"health_check_interval": PING_EVERY_S}
    if not url.startswith("unix:"):
        options |= {"socket_keepalive": True, "socket_keepalive_options": KEEPALIVE}
    if (master := watched(url)) is not None:
        options |= master.of_master
        is_secure = options.pop("ssl", False)
        return options | {"connection_class": _HeardTlsMaster if is_secure else _HeardMaster}
    options |= dict(parse_url(url))
    return options | {"connection_class": HEARD[options.get("connection_class", Connection)]}


def _address(text: str) -> tuple[str, int]:
    found = urlsplit(f"//{text.strip()}")
    if not found.hostname:
        raise ValueError(f"{text!r} names no host")
    return found.hostname, found.port or SENTINEL_PORT
