"""The addresses of rooms: one for each name that differs to the eye."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.names import cleaning, keys

APART = [
    *[
        ("C++", "C#"),
        ("C++", "C"),
        ("Team 🔴", "Team 🔵"),
        ("50%", "50€"),
        ("+1", "-1"),
        ("1", "-1"),
    ],
    *[("!", "?"), ("!", "!!"), ("Q&A", "Q A"), ("a.b", "a b"), ("a - b", "a b"), ("_a", "a")],
    *[("Team!", "Team"), ("x²", "x2"), ("①", "1"), ("½", "1/2"), ("A", "Ä"), ("日本", "日木")],
    *[("👩\u200d👧", "👩👧"), ("🇰🇷", "🇯🇵"), ("a" * 63 + "b", "a" * 63 + "c"), ("!" * 63, "!" * 64)],
    *[("ß" * 60 + "a", "ß" * 60 + "b"), (":)", ":("), ("#1", "1"), ("team", "tеam"), ("~", "-")],
]
ALIKE = [
    *[("\ud300", "\u1110\u1175\u11b7"), ("Team  Standup", "team standup"), ("ＴＥＡＭ", "team")],
    *[
        ("é", "e\u0301"),
        ("\u3000a\u00a0b ", "A B"),
        ("Ｃ＋＋", "c++"),
        ("ﾊﾞｽ", "バス"),
        ("STRASSE", "Straße"),
    ],
    *[("test\ufe0f", "test"), ("te\u034fst", "test"), ("te\u200bst", "test"), ("❤", "❤\ufe0f")],
    *[("😀\u200d😀", "😀😀"), ("ﻣ", "م"), ("К", "к"), ("！", "!"), ("weekly-sync", "Weekly sync")],
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_visibly_different_names_are_two_rooms(one, other):
    assert keys.key_of_name(one) != keys.key_of_name(other)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_the_same_are_one_room(one, other):
    assert keys.key_of_name(one) == keys.key_of_name(other)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Team Standup", "team-standup"),
        ("team-standup", "team-standup"),
        ("안녕 방", "안녕-방"),
        ("Team Meeting", "team-meeting"),
        ("नमस्ते दुनिया", "नमस्ते-दुनिया"),
        ("Straße", "strasse"),
        ("Raum 2b_c", "raum-2b_c"),
        ("C++", "c~2b-2b"),
        ("a/b?c#d", "a~2f~b~3f~c~23~d"),
        ("Team 🔴", "team-~1f534"),
    ],
)
def test_address_of_a_room_is_readable(name, key):
    assert keys.key_of_name(name) == key
    assert keys.default_room_name(key) == name.casefold().replace("-", " ").replace("ß", "ss")


WORDS = st.text(st.sampled_from("abzAZ019_éñöçДяλ안녕방あア漢字नमस्ते"), min_size=1, max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_key_of_plain_words_is_stable(words):
    name = cleaning.room_name(" ".join(words))
    if name and "_" not in (name[0], name[-1]) and len(keys.older_key(name)) < 60:
        assert keys.key_of_name(name) == keys.older_key(name)
        assert keys.key_of_name(keys.key_of_name(name)) == keys.key_of_name(name)


@given(st.text(min_size=1))
def test_every_visible_name_has_an_address_that_leads_to_itself(typed):
    name = cleaning.room_name(typed)
    if name:
        key = keys.key_of_name(name)
        assert keys.is_key(key)
        older = keys.older_key(name)
        assert keys.is_key(older) or cleaning.room_name(older) != older  # marks without a letter
        assert keys.is_key(keys.unlisted_key(name))
        assert not keys.is_unlisted(key)
        assert "/" not in key
        # The name that a key stands for has this key, or the key holds too little of it.
        assert keys.key_of_name(keys.default_room_name(key)) == key or "~" in key[-9:-8]


@given(st.text(min_size=1), st.text(min_size=1))
def test_one_key_means_one_look(one, other):
    one, other = cleaning.room_name(one), cleaning.room_name(other)
    if one and other and keys.key_of_name(one) == keys.key_of_name(other):
        assert look(one) == look(other)


def look(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().replace("\ufe0f", "").replace("-", " ")


@pytest.mark.parametrize(
    "key",
    [
        *(
            "",
            "A",
            "a/b",
            "a b",
            "~aaaaaaaaaaaaaaaa",
            "a~short",
            "x" * 99,
            "c~2B",
            "c~02b",
            "c~2b~",
        ),
        *("c~110000", "a~200b", "test\ufe0f", "te\u034fst", "\u3164", "\u1160", "a~61", "-a", "a-"),
        *("a--b", "\u1110\u1175\u11b7", "ａ", "a~fe0f", "a~2b~~2b", "a~d83d"),
    ],
)
def test_invalid_room_name_gives_no_key(key):
    assert not keys.is_key(key)


@pytest.mark.parametrize("key", ["x-bb7208bc9b", "team-meeting", "a-b-c-d", "x" * 60, "q-a"])
def test_keys_of_older_rooms_are_stable(key):
    assert keys.is_key(key)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("team", ("team", "team")),
        ("Team", ("team", "Team")),
        ("My Big Room", ("my-big-room", "My Big Room")),
        ("\u1110\u1175\u11b7", ("팀", "팀")),
        ("Secret~ABCDEFGHIJKLMNOP", ("secret~abcdefghijklmnop", "Secret")),
        ("\u1110\u1175\u11b7~abcdefghijklmnop", ("팀~abcdefghijklmnop", "팀")),
        ("C~2B", ("c~2b", "c+")),
        ("C++", (None, "C++")),
        ("\u3164", (None, "")),
    ],
)
def test_typed_address_is_understood(typed, meant):
    assert keys.meant(typed) == meant
