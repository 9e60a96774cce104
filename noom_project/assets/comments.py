"""Removes comments and indentation from JavaScript, and changes nothing else.

The tokens come from tree-sitter's grammar. So text inside a string, a template or a regular
expression that looks like a comment stays.
"""

import re
from collections.abc import Iterator

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_javascript.language()))
_INDENTATION = re.compile(rb"[ \t]*\n\s*")


class NoScript(ValueError):
    """The text is no JavaScript; the message has line and column."""


def without_comments(script: str) -> str:
    """Returns the script without comments and indentation. Raises NoScript."""
    source = script.encode()
    root = _PARSER.parse(source).root_node
    if root.has_error:
        row, column = _first_error(root).start_point
        raise NoScript(f"line {row + 1}, column {column + 1}: this is no JavaScript")
    kept, end = [], 0
    for start, stop, text in _spans(source, root):
        kept += [_INDENTATION.sub(b"\n", source[end:start]), text]
        end = stop
    kept.append(_INDENTATION.sub(b"\n", source[end:]))
    return re.sub(r"\A\s+", "", b"".join(kept).decode())


def _spans(source: bytes, node: Node) -> Iterator[tuple[int, int, bytes]]:
    """Yields comments and literals: first and last byte, and the replacement text."""
    start, end = node.start_byte, node.end_byte
    if node.type == "comment":
        # A comment separates its neighbours, and a line break in one ends a statement.
        yield start, end, b"\n" if b"\n" in source[start:end] else b" "
    elif node.type in {"string", "regex"}:
        yield start, end, source[start:end]
    elif node.type == "template_string":
        for inner in (child for child in node.children if child.type == "template_substitution"):
            yield start, inner.start_byte, source[start : inner.start_byte]
            yield from _spans(source, inner)
            start = inner.end_byte
        yield start, end, source[start:end]
    else:
        for child in node.children:
            yield from _spans(source, child)


def _first_error(node: Node) -> Node:
    for child in node.children:
        if child.has_error or child.is_missing:
            return _first_error(child)
    return node
