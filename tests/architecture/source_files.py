"""The source files of this repository, read as far as tests/architecture/test_layers.py needs."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON_PACKAGES = ("chat", "call", "noom_project")
NOT_FUNCTIONS = {"if", "for", "while", "switch", "catch", "with"}

_JS_TEXT = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)
    |(?P<before>(?:[(,=:\[!&|?{};]|=>|\breturn)\s*)
     (?P<regexp>/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/)""",
    re.VERBOSE | re.DOTALL,
)
_JS_IMPORT = re.compile(r"""(?:^|[};\s])(?:from|import)\s*\(?\s*['"]([^'"]+)['"]""")


def files(*patterns: str) -> list[Path]:
    """The files that match, without those that are not ours or not written by hand."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    skipped = {"migrations", "vendor", "node_modules", ".venv"}
    return sorted(path for path in found if not skipped & set(path.relative_to(ROOT).parts))


@cache
def python_modules() -> dict[str, ast.Module]:
    """Each module of ours that holds any code, by its dotted name."""
    trees = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): parse(path)
        for package in PYTHON_PACKAGES
        for path in files(f"{package}/**/*.py")
    }
    return {name: tree for name, tree in trees.items() if tree.body}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def python_imports(tree: ast.Module) -> set[str]:
    """Every dotted name that a module imports, anywhere in it; of `from a import b` a and a.b."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "imports are absolute"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def python_functions(path: Path) -> Iterator[tuple[str, int]]:
    """The name and number of lines of each function."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno
            yield node.name, node.end_lineno - node.lineno + 1


def js_imports(path: Path) -> set[str]:
    """The module specifiers that a JavaScript module imports; not those in JSDoc types."""
    return set(_JS_IMPORT.findall(without_js_comments(path.read_text())))


def without_js_comments(source: str) -> str:
    """The source with its comments blanked, every line where it was."""
    return _JS_TEXT.sub(lambda found: _blank(found[0]) if found["comment"] else found[0], source)


def js_functions(path: Path) -> Iterator[tuple[str, int]]:
    """The place and number of lines of each function, method or arrow function with a body."""
    code = _JS_TEXT.sub(lambda text: (text["before"] or "") + _blank_text(text), path.read_text())
    closings = _brackets(code)
    openings = {closing: opening for opening, closing in closings.items()}
    for brace in (place for place in closings if code[place] == "{"):
        start = _function_start(code, brace, openings)
        if start is not None:
            lines = code.count("\n", start, closings[brace]) + 1
            yield f"line {code.count(chr(10), 0, start) + 1}", lines


def _blank_text(found: re.Match[str]) -> str:
    return _blank(found["comment"] or found["string"] or found["regexp"])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _function_start(code: str, brace: int, openings: dict[int, int]) -> int | None:
    """Where the function whose body opens here has its parameters; None for another block."""
    end = _last_before(code, brace)
    is_arrow = code[end - 1 : end + 1] == "=>"
    if is_arrow:
        end = _last_before(code, end - 1)
    if code[end] != ")":
        return end if is_arrow else None
    start = openings[end]
    word = re.search(r"(\w*)\s*$", code[max(0, start - 40) : start])
    return start if is_arrow or (word and word[1] not in NOT_FUNCTIONS) else None


def _last_before(code: str, place: int) -> int:
    """Where the last character before this place stands that is no space."""
    place -= 1
    while place > 0 and code[place].isspace():
        place -= 1
    return place


def _brackets(code: str) -> dict[int, int]:
    """The place of each opening brace and parenthesis, with that of its closing one."""
    pairs: dict[int, int] = {}
    waiting: list[int] = []
    for place, character in enumerate(code):
        if character in "{(":
            waiting.append(place)
        elif character in "})":
            opening = waiting.pop()
            assert code[opening] + character in ("{}", "()"), f"unbalanced at {place}"
            pairs[opening] = place
    assert not waiting, f"never closed: {code[waiting[0] : waiting[0] + 80]!r}"
    return dict(sorted(pairs.items()))
