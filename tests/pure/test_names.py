"""Names that people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import names


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
        ("\u3164", "Anon"),
    ],
)
def test_a_nickname_is_one_line_of_what_shows(typed, shown):
    assert names.nickname(typed) == shown


@given(st.text())
def test_a_nickname_is_never_empty_nor_long_and_cleaning_it_again_changes_nothing(typed):
    nickname = names.nickname(typed)
    assert 1 <= len(nickname) <= names.MAX_NICKNAME_CHARS
    assert names.nickname(nickname) == nickname


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
def test_names_that_look_alike_share_a_skeleton(one, other):
    assert names.skeleton(one) == names.skeleton(other)


def test_the_later_of_two_like_names_gets_a_number():
    taken = {names.skeleton("Nova"), names.skeleton("Nova (2)")}
    assert names.distinct("nova", taken) == "nova (3)"
    long = "x" * 32
    assert names.distinct(long, {names.skeleton(long)}) == "x" * 28 + " (2)"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("안녕 방", "안녕-방"),
        ("Team Meeting", "team-meeting"),
        ("नमस्ते दुनिया", "नमस्ते-दुनिया"),
        ("a/b?c#d", "a-b-c-d"),
        ("Straße", "strasse"),
    ],
)
def test_the_address_of_a_room_is_readable(name, key):
    assert names.room_key(name) == key


@given(st.text(min_size=1))
def test_every_visible_name_has_an_address_that_leads_to_itself(typed):
    name = names.room_name(typed)
    if name:
        key = names.room_key(name)
        assert names.is_key(key)
        assert names.room_key(key) == key
        assert not names.is_unlisted(key)


@given(st.text(min_size=1))
def test_group_names_are_ascii_and_short(key):
    group = names.group("chat", key)
    assert group.isascii()
    assert len(group) < 100


@pytest.mark.parametrize("key", ["", "A", "a/b", "a b", "~aaaaaaaaaaaaaaaa", "a~short", "x" * 99])
def test_what_no_room_is_called_is_no_key(key):
    assert not names.is_key(key)


def test_two_rooms_of_signs_alone_are_two_rooms():
    assert names.room_key("!") != names.room_key("?")


def test_a_message_keeps_its_lines_emoji_and_direction_and_loses_controls():
    text = " מה\u200f שלומך 👩\u200d👩\u200d👧\r\nnext\x00\x1b[31m "
    assert names.clean_text(text) == "מה\u200f שלומך 👩\u200d👩\u200d👧\nnext[31m"
