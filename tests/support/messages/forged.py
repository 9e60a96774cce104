"""Messages made from the protocol itself.

A good one of each type, and forgeries of it.

A new message type, or a new field, is in every test that uses this module. A field with a pattern
needs its example in `example`, or fails them.
"""

import itertools
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from msgspec import inspect as shape

from chat.protocol.messages import WireType
from noom_project.protocol_writer import SOCKETS, fields

_numbers = itertools.count(987_654_000_000)  # no number of the server looks like these


class Forgery(NamedTuple):
    """A frame with one field too many, whose value occurs nowhere else."""

    where: str
    frame: dict[str, Any]
    value: Any


def example(kind: type[WireType], *, token: str, to: str, session: str) -> dict[str, Any]:
    """Return a good payload of a client's message.

    `to` and `session` name a caller of the call.
    """
    known = {
        "token": token,
        "to": to,
        "session": session,
        "nickname": "Somebody",
        "text": "something",
        "client_id": str(uuid.uuid4()),
        "on": True,
        "before": 2,
        "limit": 1,
        "media": {"audio": True, "video": False, "screen": False},
        "failure": "no_path",
        "audio": False,
        "video": True,
        "screen": False,
        "description": {"number": 1, "sdp": "v=0"},
        "candidate": {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host"},
    }
    return {
        field.encode_name: known[name]
        if (name := field.encode_name) in known
        else _plain(field.type)
        for field in fields(kind)
        if field.required or field.encode_name in known
    }


def _plain(a_type: shape.Type) -> Any:
    """Return a good value of a type without a pattern."""
    match a_type:
        case shape.BoolType():
            return True
        case shape.IntType():
            return max(a_type.ge or 0, 1)
        case shape.StrType() if a_type.pattern is None:
            return "something"
    raise TypeError(f"no example for {a_type!r}: add its field to `example`")


def taken(name: str) -> list[type[WireType]]:
    """Return the messages that a socket accepts."""
    return list(SOCKETS[name][1].accepts)


def all_types() -> list[type[WireType]]:
    """Return every message of every socket, each once."""
    return list(dict.fromkeys(kind for name in SOCKETS for kind in taken(name)))


def forgeries(kind: type[WireType], payload: dict[str, Any]) -> Iterator[Forgery]:
    """Return `payload` with each field that the server writes.

    Each field is added at each level of a frame.
    """
    for name, a_type in server_fields().items():
        for path in _levels(kind):
            value = _forged(a_type)
            frame: dict[str, Any] = {"type": kind.type, "payload": _copy(payload), "ref": 1}
            target = frame
            for step in path:
                target = target[step]
            if name in target or name in _taken_at(kind, path):
                continue
            target[name] = value
            yield Forgery(f"{kind.type}: {'.'.join([*path, name])}", frame, value)


def server_fields() -> dict[str, shape.Type]:
    """Return every field of every answer and event, with its type.

    Fields of nested objects are included.
    """
    found: dict[str, shape.Type] = {}
    for _, socket in SOCKETS.values():
        for kind in (*socket.sends, *socket.accepts.values()):
            _collect(kind, found)
    return found


def _collect(kind: type[WireType], found: dict[str, shape.Type]) -> None:
    for one in fields(kind):
        found.setdefault(one.encode_name, one.type)
        for struct in _structs(one.type):
            _collect(struct, found)


def _structs(a_type: shape.Type) -> list[type[WireType]]:
    match a_type:
        case shape.StructType():
            return [cast(type[WireType], a_type.cls)]
        case shape.ListType():
            return _structs(a_type.item_type)
        case shape.UnionType():
            return [struct for part in a_type.types for struct in _structs(part)]
    return []


def _levels(kind: type[WireType]) -> list[tuple[str, ...]]:
    """Return the objects in a frame: the frame, its payload, and those in the payload."""
    inner = [("payload", one.encode_name) for one in fields(kind) if _structs(one.type)]
    return [(), ("payload",), *inner]


def _taken_at(kind: type[WireType], path: tuple[str, ...]) -> set[str]:
    """Return the fields that the protocol accepts there, optional or not."""
    if not path:
        return {"type", "payload", "ref"}
    structs = [kind]
    for step in path[1:]:
        structs = [
            s for one in fields(structs[0]) if one.encode_name == step for s in _structs(one.type)
        ]
    return {one.encode_name for one in fields(structs[0])}


def _forged(a_type: shape.Type) -> Any:
    """Return a value of the field's own type, so that only the field is wrong."""
    match a_type:
        case shape.StructType():
            return {one.encode_name: _forged(one.type) for one in a_type.fields}
        case shape.ListType():
            return [_forged(a_type.item_type)]
        case shape.UnionType():
            return _forged(a_type.types[0])
        case shape.BoolType():
            return True
        case shape.IntType() | shape.FloatType():
            return next(_numbers)
    return f"forged{next(_numbers) % 1_000_000:06}"


def marks(value: Any) -> list[str]:
    """Return the parts of a forged value that a test would recognise."""
    match value:
        case dict():
            return [mark for part in value.values() for mark in marks(part)]
        case list():
            return [mark for part in value for mark in marks(part)]
        case bool():
            return []
    return [str(value)]


def _copy(payload: dict[str, Any]) -> dict[str, Any]:
    return {k: dict(v) if isinstance(v, dict) else v for k, v in payload.items()}
