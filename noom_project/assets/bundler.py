"""Bundles a page's ES modules into one script, its style sheets into one sheet.

It supports the small part of module syntax that static/js uses, and refuses everything else. A
module becomes a function that runs once and returns the exports of the module.
"""

import posixpath
import re
from collections.abc import Callable

from noom_project.assets.comments import NoScript, without_comments

Read = Callable[[str], str]  # the text of a file by its path, such as `js/pages/room.js`

_NAMES = r"\{([^}]*)\}"
_FROM = r" from '(\.{1,2}/[\w./-]+\.js)';$"
_IMPORT = re.compile(rf"^import {_NAMES}{_FROM}", re.MULTILINE)
_EXPORT_FROM = re.compile(rf"^export {_NAMES}{_FROM}", re.MULTILINE)
_EXPORT_NAMES = re.compile(rf"^export {_NAMES};$", re.MULTILINE)
_EXPORT_HERE = re.compile(
    r"^export ((?:const |class |(?:async )?function(?:\* | ))(\w+)\b)", re.MULTILINE
)
_UNKNOWN = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_DYNAMIC = re.compile(r"\bimport\s*[.(]")
_SHEET = re.compile(r"^@import '([\w./-]+\.css)';\n", re.MULTILINE)


class CannotJoin(ValueError):
    """A module uses unsupported syntax, or modules import each other in a cycle."""


def join_modules(entry: str, read: Read) -> str:
    """Returns one script of `entry` and its imports, each before its importers.

    An export has the value of the moment when its module has run. No exported binding may change,
    so `export let` is refused. The bundler removes comments and indentation and keeps everything
    else: minifiers that rewrite have changed the behaviour of scripts.

    Raises CannotJoin: unsupported syntax, a cycle of imports, or invalid JavaScript.
    """
    joined: dict[str, str] = {}
    under_way: list[str] = []

    def add(path: str) -> None:
        if path in under_way:
            raise CannotJoin(f"{' imports '.join([*under_way, path])}: a circle")
        if path in joined:
            return
        under_way.append(path)
        text = read(path)
        for imported in _imported(path, text):
            add(imported)
        joined[path] = _as_function(path, text)
        under_way.pop()

    add(entry)
    script = _shortened(entry, "".join(joined.values()))
    if dynamic := _DYNAMIC.search(script):
        raise CannotJoin(f"{entry}: …{script[dynamic.start() :][:40]}")
    return script


def join_sheets(entry: str, read: Read) -> str:
    """Returns a style sheet with each `@import` replaced by the imported sheet."""
    return _SHEET.sub(lambda found: join_sheets(_resolve(entry, found[1]), read), read(entry))


def _shortened(entry: str, script: str) -> str:
    try:
        return without_comments(script)
    except NoScript as error:
        raise CannotJoin(f"{entry}: {error}") from error


def _resolve(importer: str, specifier: str) -> str:
    """Returns the path of a relative import, which stays in the importer's tree."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), specifier))
    root = importer.partition("/")[0]
    if not path.startswith(f"{root}/"):
        raise CannotJoin(f"{importer} imports {specifier}: outside {root}/")
    return path


def _imported(path: str, text: str) -> list[str]:
    found = [match[2] for pattern in (_IMPORT, _EXPORT_FROM) for match in pattern.finditer(text)]
    return [_resolve(path, specifier) for specifier in found]


def _as_function(path: str, text: str) -> str:
    exports: list[str] = []

    def export(found: re.Match[str]) -> str:
        exports.append(found[2])
        return found[1]

    def export_names(found: re.Match[str]) -> str:
        exports.extend(_pairs(found[1], "{1}: {0}"))
        return ""

    def export_from(found: re.Match[str]) -> str:
        module = _variable(_resolve(path, found[2]))
        exports.extend(_pairs(found[1], f"{{1}}: {module}.{{0}}"))
        return ""

    def constants(found: re.Match[str]) -> str:
        module = _variable(_resolve(path, found[2]))
        return f"const {{ {', '.join(_pairs(found[1], '{0}: {1}'))} }} = {module};"

    text = _EXPORT_HERE.sub(export, text)
    text = _EXPORT_NAMES.sub(export_names, text)
    text = _EXPORT_FROM.sub(export_from, text)
    text = _IMPORT.sub(constants, text)
    if unknown := _UNKNOWN.search(text):
        raise CannotJoin(f"{path}: {unknown[0]}")
    result = ", ".join(exports)
    return f"const {_variable(path)} = (() => {{\n{text}\nreturn {{ {result} }};\n}})();\n"


def _pairs(names: str, form: str) -> list[str]:
    """Returns `a, b as c` as pairs, formatted by `form` with name and alias."""
    pairs = [re.split(r"\s+as\s+", name.strip()) for name in names.split(",") if name.strip()]
    return [form.format(pair[0], pair[-1]) for pair in pairs]


def _variable(path: str) -> str:
    """Returns a variable name; `/` and `-` differ in it, or a-b/c would be a/b-c."""
    name = path.partition("/")[2].removesuffix(".js")
    return "module_" + re.sub(r"\W", "_", name.replace("/", "__"))
