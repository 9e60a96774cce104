"""How long files and functions may get, and how many modules one folder holds.

ESLint counts the lines of the page's modules (eslint.config.js).
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.architecture.source_files import (
    PYTHON_PACKAGES,
    ROOT,
    files,
    nothing,
    python_functions,
)

MAX_FILE_LINES = 300
MAX_TEST_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_MODULES = 12  # in one folder
PACKAGES = [f"{package}/**/*.py" for package in PYTHON_PACKAGES]


def too_long(limit: int, found: Iterable[Path]) -> list[str]:
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in found}
    return [f"{name} has {count} lines" for name, count in lines.items() if count > limit]


def test_no_file_is_long():
    ours = files("*.py", *PACKAGES, "static/css/**/*.css", "templates/**/*")
    tests = files("tests/**/*.py", "tests/**/*.js", "tests/**/*.mjs")
    nothing(too_long(MAX_FILE_LINES, ours) + too_long(MAX_TEST_FILE_LINES, tests))


def test_no_python_function_is_long():
    long = [
        f"{path.relative_to(ROOT)}: {name} has {lines} lines"
        for path in files("*.py", *PACKAGES, "tests/**/*.py")
        for name, lines in python_functions(path)
        if lines > MAX_FUNCTION_LINES
    ]
    nothing(long)


def test_no_folder_has_many_modules():
    modules = [path for path in files(*PACKAGES, "static/js/**/*.js") if path.stem != "__init__"]
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in modules)
    full = {name: count for name, count in counts.items() if count > MAX_MODULES}
    nothing([f"{name} has {count} modules" for name, count in full.items()])


def test_every_package_has_a_docstring():
    silent = [
        str(path.relative_to(ROOT))
        for path in files(*(f"{package}/**/__init__.py" for package in PYTHON_PACKAGES))
        if not path.read_text().startswith('"""') and "management" not in path.parts
    ]
    nothing(silent)
