"""What a person reads is there in every language that Noom speaks."""

import re

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

SAME = {"Anon"}  # the same word in Korean


def template_strings() -> set[str]:
    found: set[str] = set()
    for template in settings.BASE_DIR.glob("templates/**/*.html"):
        text = template.read_text()
        found |= {m[2] for m in re.finditer(r"""{% translate (["'])(.+?)\1""", text)}
        found |= set(re.findall(r"_\(\"(.+?)\"\)", text))
    return found


def code_strings() -> set[str]:
    source = "".join((settings.BASE_DIR / "chat" / f).read_text() for f in ("forms.py", "admin.py"))
    return set(re.findall(r"\b_\(\"(.+?)\"\)", source))


def test_there_are_strings_to_speak_of():
    assert len(template_strings()) > 50
    assert code_strings()


@pytest.mark.parametrize("text", sorted((template_strings() | code_strings()) - SAME))
def test_every_string_is_said_in_korean(text):
    with translation.override("ko"):
        assert gettext(text) != text
