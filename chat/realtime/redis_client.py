"""Redis clients, by an address or by the Sentinels that know the master."""

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
SENTINEL_S = 0.5  # timeout of one Sentinel, after which the next one is queried
PING_EVERY_S = 5  # interval of pings on a silent subscription
PONG_S = 4.0  # without an answer for so long, the server of a subscription counts as gone
SUBSCRIBERS_PING = ("PING", PubSub.HEALTH_CHECK_MESSAGE)
SENTINEL_URL = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?:(?P<login>[^/?#]*)@)?(?P<hosts>[^/?#@]+)"
    r"/(?P<service>[^/?#]+)(?:/(?P<db>\d+))?(?:\?(?P<query>.*))?"
)
# They notice a host that dies without a word within 11 s. The kernel's own limits are hours, and a
# quarter of an hour for data that was sent.
KEEPALIVE = {
    socket.TCP_KEEPIDLE: 5,
    socket.TCP_KEEPINTVL: 2,
    socket.TCP_KEEPCNT: 3,
    getattr(socket, "TCP_USER_TIMEOUT", 18): 10_000,  # ms
}


class Watched(NamedTuple):
    """A master that Sentinels watch, by its name."""

    service: str
    sentinels: list[tuple[str, int]]
    of_sentinels: dict[str, Any]  # options of the connections to them
    of_master: dict[str, Any]


def split(text: str) -> list[str]:
    """The addresses in REDIS_URL.

    A comma before a scheme separates two addresses; any other comma separates two Sentinels.
    """
    return [url.strip() for url in re.split(r",(?=\s*[a-z+]+://)", text) if url.strip()]


def watched(url: str) -> Watched | None:
    """The master of a `redis+sentinel://` or `rediss+sentinel://` address; None for other schemes.

    Raises ValueError if the address is malformed.
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
    """Hosts and ports of an address, without its secrets; empty for a socket file."""
    if (master := watched(url)) is not None:
        return master.sentinels
    where = urlsplit(url)
    return [] if where.scheme == "unix" else [(where.hostname or "localhost", where.port or 6379)]


def shown(url: str) -> str:
    """An address without its secrets, for logs and errors."""
    places = ", ".join(f"{host}:{port}" for host, port in hosts(url)) or urlsplit(url).path
    master = watched(url)
    return f"{places} (master {master.service})" if master else places


def layer_host(url: str, **options: Any) -> dict[str, Any]:
    """The entry of an address for channels-redis' `hosts`. The address overrides the options."""
    if (master := watched(url)) is None:
        return {**options, **_connection(url)}
    return {
        "master_name": master.service,
        "sentinels": master.sentinels,
        "sentinel_kwargs": master.of_sentinels,
        **options,
        **_connection(url),
    }


def client(url: str, *, connections: int, timeout_s: float, **options: Any) -> Redis:
    """A client with a bounded pool. A query waits `timeout_s` for a free connection."""
    options = {**options, "max_connections": connections, "timeout": timeout_s, **_connection(url)}
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
    """A pool of a watched master whose callers wait for a free connection.

    redis-py's own pool raises an error when all connections are in use.
    """


class _Heard:
    """A connection that notices a silent server of a subscription.

    redis-py pings and waits for no answer. With a frozen server, or with dropped packets, a process
    would hear nothing for as long. This connection subscribes again instead, at the master that the
    Sentinels name then.
    """

    next_health_check: float

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        """Send a command, or reconnect in place of a ping whose predecessor has no answer."""
        stock: Any = super()
        this: Any = self
        now = asyncio.get_running_loop().time()
        if args == SUBSCRIBERS_PING and now - self.next_health_check > PONG_S:
            await this.disconnect()
            await this.connect()  # subscribes again
        else:
            await stock.send_command(*args, **kwargs)


class _HeardTcp(_Heard, Connection):
    """A watching connection over TCP."""


class _HeardTls(_Heard, SSLConnection):
    """A watching connection over TLS."""


class _HeardFile(_Heard, UnixDomainSocketConnection):
    """A watching connection over a socket file."""


class _HeardMaster(_Heard, SentinelManagedConnection):
    """A watching connection over TCP to a watched master."""


class _HeardTlsMaster(_Heard, SentinelManagedSSLConnection):
    """A watching connection over TLS to a watched master."""


HEARD = {Connection: _HeardTcp, SSLConnection: _HeardTls, UnixDomainSocketConnection: _HeardFile}

# redis-py has no types for these.
_sentinel: Any = Sentinel
_blocking_sentinel: Any = blocking.Sentinel
_bounded_pool: Any = _BoundedSentinelPool


def _connection(url: str) -> dict[str, Any]:
    """The options and the class of the connections of an address."""
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
