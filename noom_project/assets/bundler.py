"""Makes one file of a page's ES modules, and one of its style sheets, as the page is to load them.

No bundler: the house writes a small part of what modules can do, and whatever else comes is an
error here. A module becomes a function that runs once and returns what the module exports.
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
    """A module uses what the joiner does not know, or modules import one another in a circle."""


def join_modules(entry: str, read: Read) -> str:
    """The modules that `entry` needs, each before those that import it, as one script.

    An export is the value that it has when its module has run: no exported binding may change, and
    so `export let` is refused. Comments and indentation are taken out; all else stays as it was
    written, for minifiers that rewrite have changed what a script does.

    Raises CannotJoin: a module is beyond the joiner, modules import in a circle, or the script is
    no JavaScript.
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
    """A style sheet with those that it imports, in the place of each `@import`."""
    return _SHEET.sub(lambda found: join_sheets(_resolve(entry, found[1]), read), read(entry))


def _shortened(entry: str, script: str) -> str:
    try:
        return without_comments(script)
    except NoScript as error:
        raise CannotJoin(f"{entry}: {error}") from error


def _resolve(importer: str, specifier: str) -> str:
    """The path of what a file names beside itself; it stays in the file's own tree."""
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
    """`a, b as c` in a form that takes each name and what it is called on the other side."""
    pairs = [re.split(r"\s+as\s+", name.strip()) for name in names.split(",") if name.strip()]
    return [form.format(pair[0], pair[-1]) for pair in pairs]


def _variable(path: str) -> str:
    """A name for each path: `/` and `-` stay apart, or a-b/c.js would be a/b-c.js."""
    name = path.partition("/")[2].removesuffix(".js")
    return "module_" + re.sub(r"\W", "_", name.replace("/", "__"))
