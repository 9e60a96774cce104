"""Documents, docstrings and comments keep the rules of style that a program can check."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_files import ROOT, files, nothing, parse

MAX_SENTENCE_WORDS = 60  # lists and tables included; a reader wants less than half of that
RULES = {
    "begins with a relative clause": re.compile(
        r"(?:^|(?<=[.!:] )|(?<=\*\* ))(?:Who|What|Whoever|Whom|Whose)\b[^?]*?(?:[.:](?: |$)|$)"
    ),
    "a passive that hides who acts": re.compile(
        r"\b(?:is|are|was|were|be|been|being) (?:told|asked|looked at|let go of)\b"
    ),
    "a pronoun for a component": re.compile(r"\b(?:whoever|whom)\b", re.IGNORECASE),
    "a word that the glossary replaces": re.compile(
        r"\b(?:doorway|knocks?|knocking|farewell|pulse|last words|beaten)\b",
        re.IGNORECASE,
    ),
}
_DOCUMENTS = ("*.md", "docs/**/*.md", "bench/*.md")
_SCRIPTS = ("static/**/*.js", "static/**/*.css", "tests/**/*.js")
_PYTHON = tuple(f"{name}/**/*.py" for name in ("chat", "call", "noom_project", "tests", "bench"))
_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_BLOCK_COMMENT = re.compile(r"/\*\*?(.*?)\*/", re.DOTALL)


def document_paragraphs(path: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    yield from re.split(r"\n\s*\n|\n(?=[-|#\d])", text)


def docstring_paragraphs(path: Path) -> Iterator[str]:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from re.split(r"\n\s*\n", ast.get_docstring(node) or "")


def comments(path: Path) -> Iterator[str]:
    """The blocks of comments in lines of their own, and of JavaScript those in `/* … */`."""
    text = path.read_text()
    mark = "#" if path.suffix == ".py" else "//"
    lines = [line.strip() for line in text.splitlines()]
    block = [line.removeprefix(mark) if line.startswith(f"{mark} ") else "\n" for line in lines]
    yield from "".join(block).split("\n")
    if path.suffix != ".py":
        for found in _BLOCK_COMMENT.finditer(text):
            yield from re.split(r"\n\s*\* @|\n\s*\*\s*\n", found[1])


def plain(paragraph: str) -> str:
    """A paragraph in one line, without its code and the addresses of its links."""
    words = re.sub(r"(?m)^\s*\*\s?", " ", paragraph)
    return " ".join(_LINK.sub(r"\1", _CODE.sub("X", words)).split())


def paragraphs() -> Iterator[tuple[Path, str]]:
    for path in files(*_DOCUMENTS):
        yield from ((path, plain(text)) for text in document_paragraphs(path))
    for path in files(*_PYTHON):
        if path != Path(__file__):
            yield from ((path, plain(text)) for text in docstring_paragraphs(path))
    for path in files(*_PYTHON, *_SCRIPTS):
        if path != Path(__file__):
            yield from ((path, plain(text)) for text in comments(path))


def test_prose_keeps_the_rules_of_style():
    checked, wrong = 0, []
    for path, text in paragraphs():
        checked += bool(text)
        where = path.relative_to(ROOT)
        for rule, pattern in RULES.items():
            if found := pattern.search(text):
                wrong.append(f"{where}: {rule}: …{text[max(found.start() - 10, 0) :][:80]}")
        if not text.startswith("|"):
            longest = max(
                (sentence.split() for sentence in re.split(r"(?<=[.!?]) ", text)), key=len
            )
            if len(longest) > MAX_SENTENCE_WORDS:
                wrong.append(f"{where}: {len(longest)} words: {' '.join(longest[:12])} …")
    assert checked > 4_000, "the texts are found"
    nothing(wrong)


def test_rules_of_style_find_what_they_forbid():
    for text in (
        "Who removed is kept out.",
        "It ends. What ends is let go of.",
        "The page is told so.",
        "It takes whoever comes.",
        "A knock at the doorway.",
    ):
        assert any(rule.search(text) for rule in RULES.values()), text
    for text in ("Who is in the room?", "The hub tells each page what has ended."):
        assert not any(rule.search(text) for rule in RULES.values()), text
