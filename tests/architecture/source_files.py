"""The source files of this repository, as far as its own tests read them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON_PACKAGES = ("chat", "call", "noom_project")

_JS_TEXT = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`
    |(?:(?:[(,=:\[!&|?{};]|=>|\breturn)\s*)
     /(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/""",
    re.VERBOSE | re.DOTALL,
)


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


def python_functions(path: Path) -> Iterator[tuple[str, int]]:
    """The name and number of lines of each function."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno
            yield node.name, node.end_lineno - node.lineno + 1


def acting_text(path: Path) -> str:
    """JavaScript and CSS without their comments, as a browser acts on them."""
    text = path.read_text()
    if path.suffix not in {".js", ".css"}:
        return text
    return _JS_TEXT.sub(lambda found: "" if found["comment"] else found[0], text)


def nothing(wrong: list[str]) -> None:
    """Fails with every line of what is wrong, where pytest would show the first of a list."""
    assert not wrong, "\n" + "\n".join(sorted(wrong))
