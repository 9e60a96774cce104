"""Texts that never occur in a page or in a test. Ruff and ESLint know the rest (pyproject.toml,
eslint.config.js)."""

import re

from tests.architecture.source_files import ROOT, acting_text, files, nothing

# Besides what escapes no HTML: what the Content-Security-Policy would not let run or show.
IN_TEMPLATES = re.compile(
    r"\|\s*safe\b|autoescape off|\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)"
)
ANY_URL = re.compile(r"""(?:https?:|(?<=["'`(=]))//[a-z0-9][^\s"'`)]*""", re.IGNORECASE)
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")
CLOCKS = re.compile(
    r"assert.*\b(monotonic|perf_counter|thread_time|performance\.now|Date\.now)\(\)"
)


def test_templates_escape_and_carry_no_code():
    found = [
        f"{path.relative_to(ROOT)}: {word[0].strip()}"
        for path in files("templates/**/*")
        for word in IN_TEMPLATES.finditer(path.read_text())
    ]
    nothing(found)


def test_pages_name_no_foreign_address():
    found = [
        f"{path.relative_to(ROOT)}: {url[0]}"
        for path in files("templates/**/*", "static/**/*.js", "static/**/*.css", "static/**/*.svg")
        for url in ANY_URL.finditer(acting_text(path))
        if url[0] not in NAMESPACES
    ]
    nothing(found)


def test_no_test_asserts_a_duration():
    """A busy machine is slow: limits of time are figures, judged on a quiet machine."""
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files("tests/**/*.py", "tests/**/*.js")
        if "deployment" not in path.parts
        for line in path.read_text().splitlines()
        if CLOCKS.search(line)
    ]
    nothing(found)
