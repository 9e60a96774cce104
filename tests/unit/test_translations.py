"""Every text for people exists in every language of Noom."""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, ngettext
from django.utils.translation.template import templatize

SAME = {"Noom"}  # the same word in Korean
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "pgettext"}
CATALOG = settings.BASE_DIR / "noom_project" / "locale" / "ko" / "LC_MESSAGES" / "django.po"
# The admin shows their models, and they bring no Korean.
FOREIGN_APPS = ("axes",)


def template_strings() -> set[str]:
    found: set[str] = set()
    for template in settings.BASE_DIR.glob("templates/**/*.html"):
        text = templatize(template.read_text())
        found |= {m[2] for m in re.finditer(r"""gettext\(u?(["'])(.+?)\1""", text)}
    return found


def code_strings() -> set[str]:
    folders = ("chat", "call", "noom_project")
    sources = [path for name in folders for path in (settings.BASE_DIR / name).glob("**/*.py")]
    return {text for path in sources for text in marked(path)}


def marked(path: Path) -> Iterator[str]:
    """The strings that a module marks for translation."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) not in MARKS:
            continue
        # Of a plural the first form names the entry.
        if node.args and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)


def foreign_strings() -> set[str]:
    """Texts of packages without Korean that the admin shows."""
    models = [model for name in FOREIGN_APPS for model in apps.get_app_config(name).get_models()]
    names = [name for m in models for name in (m._meta.verbose_name, m._meta.verbose_name_plural)]
    fields = [field.verbose_name for model in models for field in model._meta.fields]
    return {str(name) for name in (*names, *fields)} - {"ID"}


def test_templates_have_translatable_strings():
    assert len(template_strings()) > 80
    assert len(code_strings()) > 50
    assert len(foreign_strings()) > 10


@pytest.mark.parametrize("text", sorted((template_strings() | code_strings()) - SAME))
def test_every_string_is_translated_into_korean(text):
    with translation.override("ko"):
        # Some versions of Python find a plural with ngettext alone.
        assert {gettext(text), ngettext(text, text, 1)} != {text}


@pytest.mark.parametrize("text", sorted(foreign_strings()))
def test_strings_of_other_packages_are_translated_into_korean(text):
    with translation.override("ko"):
        assert re.search("[가-힣]", gettext(text)), text


def test_compiled_catalog_equals_its_source():
    """After an edit: msgfmt -o django.mo django.po (Debian's gettext)."""
    quoted = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    pattern = rf"^msgid {quoted}(?:msgid_plural {quoted})?msgstr(?:\[0\])? {quoted}"
    entries = re.findall(pattern, CATALOG.read_text(), re.MULTILINE)
    with CATALOG.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    said = {plain(key): plain(value) for key, _, value in entries if plain(key)}
    assert len(said) > 150
    plurals = {plain(key) for key, plural, _ in entries if plural}
    assert {
        key: compiled.ngettext(key, key, 1) if key in plurals else compiled.gettext(key)
        for key in said
    } == said


def plain(quoted: str) -> str:
    """The string of a catalog's lines."""
    return "".join(ast.literal_eval(line) for line in quoted.split("\n") if line.strip())
