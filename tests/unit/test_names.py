"""Names that people type."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.names import cleaning
from tests.architecture.source_files import ROOT

INVISIBLE = (
    *"\u200b\u2060\u3164\u2800\u00ad\u202e\u115f\u1160\u034f\u17b4\u17b5\u180e\ufeff\ufe0f\uffa0",
    *"\U000e0100\U000e0041\U0001d159\U0001d173\ufffc\ufff9\ue000\ufdd0\u0378\x1b\x9f\u2065\U00013441",
)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("", "Anon"),
        (" \u200b\u202e ", "Anon"),
        ("  Nova \n Kim ", "Nova Kim"),
        ("a\u202eb\u0000c", "abc"),
        ("x" * 40, "x" * 32),
        ("é" * 40, "é" * 32),
        ("노바", "노바"),
        ("o\u0301\u0301\u0301\u0301\u0301\u0301", "ó\u0301\u0301"),
        *[(invisible, "Anon") for invisible in INVISIBLE],
        *[(f"a{invisible}b", "ab") for invisible in INVISIBLE],
        ("a\ud83d", "a"),
        ("\udc00b", "b"),
        ("\u0301\u0302", "Anon"),
        ("Nova \u0301\u0301", "Nova"),
        ("👩\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3", "👩\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3"),
        ("🏳\ufe0f\u200d🌈", "🏳\ufe0f\u200d🌈"),
        ("😀\u200d😀", "😀😀"),
        ("👧\u200d", "👧"),
        ("x" * 30 + "👩\u200d👧", "x" * 30 + "👩"),
        ("\U0001fae9", "\U0001fae9"),  # newer than this Python, maybe
    ],
)
def test_nickname_is_one_line_of_visible_text(typed, shown):
    assert cleaning.nickname(typed) == shown


@given(st.text())
def test_cleaned_nickname_is_bounded_and_stable(typed):
    nickname = cleaning.nickname(typed)
    assert 1 <= len(nickname) <= cleaning.MAX_NICKNAME_CHARS
    assert cleaning.nickname(nickname) == nickname


def test_reserved_nickname_gets_a_number():
    for name in ("You", "you", "ｙｏｕ", "Yоu", "나", "Me", "Host", "ADMIN", "호스트", "관리 자"):
        assert cleaning.make_distinct(name, set()) == f"{name} (2)"
    for name in ("Nova (you)", "Nova (나)", "(Host)"):
        assert cleaning.make_distinct(name, set()) == f"{name} (2)"
    for name in ("Youssef", "나영", "Meg", "Hosta", "Nova (Kim)"):
        assert cleaning.make_distinct(name, set()) == name


def test_every_word_of_the_page_for_people_is_reserved():
    for language in ("en", "ko"):
        words = (ROOT / "static" / "js" / "i18n" / f"{language}.js").read_text()
        said = re.findall(r"^  (?:you|'person\.host'): '(.+)',$", words, re.MULTILINE)
        assert len(said) == 2
        assert all(map(cleaning.is_reserved, said)), said
        (you_named,) = re.findall(r"^  you_named: '(.+)',$", words, re.MULTILINE)
        assert cleaning.is_reserved(you_named.replace("{name}", "Nova"))


def test_similar_room_names_get_distinct_labels():
    found = [("team", "Team"), ("tеam", "Tеam"), ("team~21", "Team!"), ("x", "Tеаm")]
    assert cleaning.distinct_room_names(found) == {
        "team": "Team",
        "tеam": "Tеam (2)",
        "team~21": "Team!",
        "x": "Tеаm (3)",
    }
    long = "x" * 64
    assert cleaning.distinct_room_names([("1", long), ("2", long)])["2"] == "x" * 60 + " (2)"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *[
            ("Nova", "nova"),
            ("Nova", "N o v a"),
            ("Nova", "Nоva"),
            ("lris", "Iris"),
            ("Ａnna", "Anna"),
        ],
        *[("sc\u03bfre", "s\u03f2ore"), ("\u039dova", "Nova")],  # Greek
    ],
)
def test_similar_names_share_a_skeleton(one, other):
    assert cleaning.skeleton(one) == cleaning.skeleton(other)


def test_later_of_two_like_names_gets_a_number():
    taken = {cleaning.skeleton("Nova"), cleaning.skeleton("Nova (2)")}
    assert cleaning.make_distinct("nova", taken) == "nova (3)"
    long = "x" * 32
    assert cleaning.make_distinct(long, {cleaning.skeleton(long)}) == "x" * 28 + " (2)"


@given(st.text(min_size=1))
def test_group_names_are_ascii_and_short(key):
    group = cleaning.group("chat", key)
    assert group.isascii()
    assert len(group) < 100


def test_message_keeps_lines_and_emoji_and_loses_controls():
    text = " מה\u200f שלומך 👩\u200d👩\u200d👧\r\nnext\x00\x1b[31m "
    assert cleaning.clean_text(text) == "מה\u200f שלומך 👩\u200d👩\u200d👧\nnext[31m"


@pytest.mark.parametrize(
    "text", [*INVISIBLE[:-6], "\u200b\n\u3164 ", "\u0301", "\ud83d", "", "\x1b"]
)
def test_message_without_visible_text_is_empty(text):
    assert cleaning.clean_text(text) == ""


@pytest.mark.parametrize(
    "text", ["!", "👍", "❤\ufe0f", "a\u200b", "\u200b1", "👩\u200d👧", "🫩", "ㅋㅋ"]
)
def test_message_with_visible_text_is_kept(text):
    assert cleaning.clean_text(text) == text
