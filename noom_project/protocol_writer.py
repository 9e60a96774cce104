"""Writes the protocol as TypeScript for the page and as Markdown for people."""

from collections.abc import Iterable
from inspect import getdoc
from typing import cast

from msgspec import inspect as shape

from call.protocol import CALL
from chat.protocol import close_codes, error_codes, messages
from chat.protocol.codec import CHAT, LOBBY, VERSION, Endpoint
from chat.protocol.messages import WireType

SOCKETS = {
    "lobby": ("/ws/lobby/", LOBBY),
    "chat": ("/ws/chat/<key>/", CHAT),
    "call": ("/ws/call/<key>/", CALL),
}


WRITTEN = "// Written by `manage.py write_protocol` from %s.\n"
CLOSE_CODES_HEAD = """/** The close codes of the sockets, and what a page does after each. */

%s
/**
 * After a final code a page makes no new connection. `afterMs` is the shortest wait before one.
 * With `reasonIsJitterMs` the reason of the close may hold the longest wait.
 * @typedef {object} CloseAction
 * @property {string} meaning
 * @property {boolean} isFinal
 * @property {number} [afterMs]
 * @property {boolean} [reasonIsJitterMs]
 */
"""


def type_name(kind: shape.Type) -> str:
    """Returns a type of msgspec in TypeScript."""
    match kind:
        case shape.StructType():
            return kind.cls.__name__
        case shape.ListType():
            return f"{type_name(kind.item_type)}[]"
        case shape.UnionType():
            return " | ".join(type_name(part) for part in kind.types)
        case shape.IntType() | shape.FloatType():
            return "number"
        case shape.StrType():
            return "string"
        case shape.BoolType():
            return "boolean"
        case shape.NoneType():
            return "null"
    raise TypeError(f"no TypeScript for {kind!r}")


def fields(cls: type[WireType]) -> list[shape.Field]:
    return list(cast(shape.StructType, shape.type_info(cls)).fields)


def limits(kind: shape.Type) -> str:
    """Returns the bounds of a field in a few words; empty without bounds."""
    match kind:
        case shape.StrType():
            parts = [
                kind.max_length is not None and f"at most {kind.max_length} characters",
                kind.pattern is not None and f"`{kind.pattern}`",
            ]
            return ", ".join(part for part in parts if part)
        case shape.IntType() if kind.ge is not None and kind.le is not None:
            return f"{kind.ge} to {'2^53-1' if kind.le == 2**53 - 1 else kind.le}"
        case shape.UnionType():
            return ", ".join(part for part in map(limits, kind.types) if part)
    return ""


def _reach(cls: type[WireType], found: dict[type[WireType], None]) -> None:
    """Collects `cls` after all types that it contains."""

    def visit(kind: shape.Type) -> None:
        match kind:
            case shape.StructType():
                _reach(cast(type[WireType], kind.cls), found)
            case shape.ListType():
                visit(kind.item_type)
            case shape.UnionType():
                for part in kind.types:
                    visit(part)

    for field in fields(cls):
        visit(field.type)
    found.setdefault(cls)


def all_types() -> Iterable[type[WireType]]:
    """Returns every type of every socket, each once, parts before wholes."""
    found: dict[type[WireType], None] = {}
    for _, socket in SOCKETS.values():
        for cls in [*socket.accepts, *socket.accepts.values(), *socket.sends]:
            _reach(cls, found)
    return found


def _interface(cls: type[WireType]) -> str:
    lines = [f"export interface {cls.__name__} {{"]
    for field in fields(cls):
        optional = "" if field.required else "?"
        lines.append(f"  {field.encode_name}{optional}: {type_name(field.type)};")
    return "\n".join([*lines, "}"])


def typescript() -> str:
    """Returns the text of static/js/protocol/messages.d.ts."""
    sources = "chat/protocol/messages.py and call/protocol.py"
    head = f"// Written by `manage.py write_protocol` from {sources}."
    parts = [head, *(_interface(cls) for cls in all_types())]
    for name, (_, socket) in SOCKETS.items():
        title = name.capitalize()
        events = [f"  | {{ type: '{cls.type}'; payload: {cls.__name__} }}" for cls in socket.sends]
        parts.append(f"export type {title}Event =\n" + "\n".join(events) + ";")
    return "\n\n".join(parts) + "\n"


def _rows(cls: type[WireType]) -> str:
    lines = []
    for field in fields(cls):
        optional = "" if field.required else ", optional"
        bounds = limits(field.type)
        kind = type_name(field.type).replace("|", "or")
        lines.append(
            f"- `{field.encode_name}`: {kind}{optional}" + (f" ({bounds})" if bounds else "")
        )
    return "\n".join(lines) or "- (no fields)"


def _own_doc(cls: type[WireType]) -> str:
    doc = cls.__dict__.get("__doc__")
    return (getdoc(cls) or "").replace("\n", " ") + "\n\n" if doc else ""


def _section(path: str, socket: Endpoint) -> str:
    parts = [f"## `{path}`"]
    for cls, answer in socket.accepts.items():
        parts.append(
            f"### client: `{cls.type}`\n\n{_own_doc(cls)}{_rows(cls)}\n\n"
            f"Answer: {answer.__name__}\n\n{_rows(answer)}"
        )
    for cls in socket.sends:
        parts.append(f"### server: `{cls.type}`\n\n{_own_doc(cls)}{_rows(cls)}")
    return "\n\n".join(parts)


def version_js() -> str:
    """Returns the text of static/js/protocol/version.js."""
    head = "/** The version of the protocol that this page speaks. */\n\n"
    written = WRITTEN % "chat/protocol/codec.py"
    return f"{head}{written}export const PROTOCOL_VERSION = {VERSION};\n"


def limits_js() -> str:
    """Returns the text of static/js/protocol/limits.js."""
    head = "/** Limits that the server checks, too. */\n\n" + WRITTEN % "chat/protocol/messages.py"
    names = ("MAX_TEXT_CHARS", "MAX_RAW_NICKNAME_CHARS", "HISTORY_LIMIT")
    return head + "".join(f"export const {n} = {getattr(messages, n)};\n" for n in names)


def close_codes_js() -> str:
    """Returns the text of static/js/protocol/close-codes.js."""
    codes = close_codes.CLOSES
    constants = [f"export const {close.name.upper()} = {code};" for code, close in codes.items()]
    rows = [f"  [{close.name.upper()}]: {_action(close)}," for close in codes.values()]
    table = [
        "/** By close code. @type {Readonly<Record<number, CloseAction>>} */",
        *("export const CLOSE_CODES = Object.freeze({", *rows, "});"),
    ]
    head = CLOSE_CODES_HEAD % (WRITTEN % "chat/protocol/close_codes.py")
    return "\n".join([head, *constants, "", *table]) + "\n"


def _action(close: close_codes.Close) -> str:
    parts = [f"meaning: '{close.name}'", f"isFinal: {str(close.is_final).lower()}"]
    if close.after_ms:
        parts.append(f"afterMs: {close.after_ms:_}")
    if close.reason_is_jitter_ms:
        parts.append("reasonIsJitterMs: true")
    return f"{{ {', '.join(parts)} }}"


def _errors() -> str:
    def listed(codes: Iterable[str]) -> str:
        return ", ".join(f"`{code}`" for code in codes)

    return (
        "## Error codes\n\n"
        f"- For a person: {listed(error_codes.REFUSALS)}\n"
        f"- For a broken client: {listed(error_codes.BROKEN_CLIENT)}\n"
        f"- Further: {listed(error_codes.OTHERS)}"
    )


def _closes() -> str:
    rows = [f"| {c} | {close.meaning} | {close.page} |" for c, close in close_codes.CLOSES.items()]
    return "\n".join(
        [
            *("## Close codes", "", "| code | meaning | the page |", "|---|---|---|", *rows),
            "| any other | 1000 and 1006 too | comes back |",
        ]
    )


def markdown() -> str:
    """Returns the written part of docs/protocol.md."""
    messages = {
        cls for _, s in SOCKETS.values() for cls in [*s.accepts, *s.accepts.values(), *s.sends]
    }
    things = [
        f"### {cls.__name__}\n\n{_own_doc(cls)}{_rows(cls)}"
        for cls in all_types()
        if cls not in messages or cls.__name__ == "Media"
    ]
    sections = [_section(path, socket) for path, socket in SOCKETS.values()]
    return (
        "\n\n".join([_errors(), _closes(), *sections, "## What the messages speak of", *things])
        + "\n"
    )
