"""Every name of daphne, autobahn, Twisted and channels-redis that Noom overrides or reads.

Most are private, and any release may move them. An override would then never be called, and a value
would never be read, without any other sign. So `check` looks for all of them before the server
listens.
"""

import dis
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple

import autobahn.websocket.protocol
import daphne.server
import twisted.web.http
from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import (
    RedisPubSubChannelLayer,
    RedisPubSubLoopLayer,
    RedisSingleShardConnection,
)
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import tcp
from twisted.web.http import HTTPChannel, Request


class Names(NamedTuple):
    """Names of one class or module of a library, and the module of Noom that needs them.

    `attributes` exist on the class; `stored` are set on each instance by a method of the class.
    """

    owner: Any
    reader: str
    attributes: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()


NAMES = (
    Names(
        WebSocketProtocol,
        "websocket.py",
        (
            *("dataReceived", "connectionLost", "check_timeouts", "handle_reply", "sendClose"),
            *("onOpen", "onClose", "onMessage", "onPing", "sendHttpErrorResponse"),
            *("serverSend", "serverClose", "duration", "muted", "STATE_OPEN", "STATE_CLOSING"),
            "STATE_CONNECTING",
        ),
        ("state", "current_frame", "data", "is_open", "is_closed", "application_queue"),
    ),
    Names(WebSocketFactory, "server.py", ("protocol", "buildProtocol")),
    Names(autobahn.websocket.protocol, "server.py", ("pformat",)),
    Names(
        WebRequest,
        "server.py",
        (
            *("process", "gotLength", "handleContentChunk", "handle_reply", "basic_error"),
            "handle_exception",
        ),
        ("_response_started",),
    ),
    Names(Request, "server.py", ("gotLength", "handleContentChunk"), ("channel", "content")),
    Names(
        daphne.server.Server,
        "server.py",
        (
            *("run", "listen_success", "create_application", "handle_reply"),
            *("kill_all_applications", "protocol_disconnected", "application_checker"),
        ),
        ("connections", "server_name", "abort_start"),
    ),
    Names(HTTPFactory, "server.py", ("buildProtocol", "protocol")),
    Names(twisted.web.http, "server.py", ("_GenericHTTPChannelProtocol",)),
    Names(
        HTTPChannel,
        "http.py",
        (
            *("connectionMade", "dataReceived", "allContentReceived", "connectionLost"),
            *("pauseProducing", "resumeProducing", "loseConnection", "requestDone"),
            *("requestFactory", "persistent", "callLater"),
        ),
        ("_handlingRequest",),
    ),
    Names(
        tcp.Port,
        "port.py",
        ("doRead", "connectionLost", "stopListening", "disconnecting"),
        ("numberAccepts", "socket"),
    ),
    Names(
        tcp.Server,
        "slow_readers.py, websocket.py",
        ("dataBuffer", "offset", "bufferSize", "abortConnection", "connected"),
        ("_tempDataLen", "socket"),
    ),
    Names(InMemoryChannelLayer, "channel_layers.py", ("_clean_expired",), ("groups",)),
    Names(RedisPubSubChannelLayer, "channel_layers.py", ("_get_layer", "serialize")),
    Names(
        RedisPubSubLoopLayer,
        "channel_layers.py",
        ("_get_shard", "_get_group_channel_name", "receive", "new_channel", "group_add"),
        ("_shards",),
    ),
    Names(RedisSingleShardConnection, "channel_layers.py", ("_ensure_redis",), ("_lock", "_redis")),
)


def check() -> None:
    """Raises RuntimeError with each name that is gone, and with the module that needs it."""
    gone = [
        f"{names.owner.__name__}.{name} is gone: noom_project/server/{names.reader} needs it"
        for names in NAMES
        for name in missing(names)
    ]
    if gone:
        raise RuntimeError("; ".join(gone))


def missing(names: Names) -> Iterator[str]:
    """The names that the owner has not."""
    for name in names.attributes:
        if not hasattr(names.owner, name):
            yield name
    for name in names.stored:
        if not hasattr(names.owner, name) and name not in _stored(names.owner):
            yield name


def _stored(owner: type) -> set[str]:
    """The attributes that the methods of a class set, on whatever object."""
    functions = [
        getattr(value, "__wrapped__", value)
        for base in owner.__mro__
        for value in vars(base).values()
    ]
    codes = [function.__code__ for function in functions if hasattr(function, "__code__")]
    return {name for code in codes for name in _stores(code)}


def _stores(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_ATTR":
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _stores(constant)
