"""Names that people type: cleaned for the eye, told apart, and made into addresses. Pure."""

import base64
import functools
import hashlib
import re
import secrets
import unicodedata

from disarm import skeleton_key

DEFAULT_NICKNAME = "Anon"
MAX_NICKNAME_CHARS = 32
MAX_ROOM_NAME_CHARS = 64
MAX_KEY_CHARS = 80
MARKS_IN_A_ROW = 2  # more of them on one letter climb into the next line
SECRET_BYTES = 10  # 80 bits make an unlisted room's address unguessable

# Joiners belong to emoji and to some scripts, yet they are invisible: two names could differ by
# nothing that shows. Fillers are letters by category, and blank.
_INVISIBLE = re.compile(r"[\u115f\u1160\u3164\uffa0\u2800\u034f\u180b-\u180f\ufe00-\ufe0f]")
_UNLISTED = re.compile(r"~[a-z2-7]{16}$")


# What UTS 39 keeps apart, and a hasty eye does not.
_LOOKALIKES = str.maketrans("01!iι", "ollll")
_PAIRS = (("rn", "m"), ("vv", "w"))
# They pass for the badge of the host.
_CROWNS = str.maketrans("", "", "\U0001f451\u2654\u2655\u265a\u265b\U0001fa75")


def clean(text: str, limit: int) -> str:
    """One line of visible text, NFC, at most `limit` characters; may be empty."""
    text = unicodedata.normalize("NFC", text)
    kept = (" " if c.isspace() else c for c in text if c.isspace() or _shows(c))
    text = _few_marks(_INVISIBLE.sub("", "".join(kept)))
    # What was between a letter and its mark may be gone now.
    return " ".join(unicodedata.normalize("NFC", text).split())[:limit].strip()


def _few_marks(text: str) -> str:
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MARKS_IN_A_ROW:
            kept.append(char)
    return "".join(kept)


# All of Unicode's category Cc but the line feed and the tabulator.
_NO_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")})


def clean_text(text: str) -> str:
    """A message: its lines as they were typed, without control characters and outer space.

    Joiners and bidi marks stay: emoji and right-to-left text need them, and the page isolates
    each message, so that none can turn its neighbour around.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.translate(_NO_CONTROLS).strip()


def _shows(char: str) -> bool:
    """Whether a character is no control, format (bidi, zero-width), private or lone surrogate."""
    return not unicodedata.category(char).startswith("C")


def nickname(text: str) -> str:
    """The nickname to show for what was typed; "Anon" for nothing."""
    return clean(text.translate(_CROWNS), MAX_NICKNAME_CHARS) or DEFAULT_NICKNAME


@functools.lru_cache(maxsize=20_000)
def skeleton(name: str) -> str:
    """What two names share when they look alike to a hasty eye: the skeleton of Unicode's UTS 39,
    without marks, case and spaces."""
    # Mapped before it is folded, too: folded, a Greek N is a "v", and its old c a final sigma.
    folded = unicodedata.normalize("NFKD", skeleton_key(name)).casefold()
    bare = "".join(c for c in folded if not _is_mark(c) and not c.isspace())
    found = skeleton_key(bare).translate(_LOOKALIKES)
    for pair, letter in _PAIRS:
        found = found.replace(pair, letter)
    return found


def _is_mark(char: str) -> bool:
    return bool(unicodedata.combining(char)) or unicodedata.category(char) == "Me"


def distinct(name: str, taken: set[str]) -> str:
    """`name`, or with the first number behind it that no skeleton in `taken` has."""
    if skeleton(name) not in taken:
        return name
    number = 2
    while True:
        suffix = f" ({number})"
        candidate = name[: MAX_NICKNAME_CHARS - len(suffix)].rstrip() + suffix
        if skeleton(candidate) not in taken:
            return candidate
        number += 1


def room_name(text: str) -> str:
    """A room's name as it is shown; empty where nothing visible was typed."""
    return clean(text, MAX_ROOM_NAME_CHARS)


def room_key(name: str) -> str:
    """The readable address of a listed room: its name, folded, words joined by hyphens.

    A name without any letter or digit is addressed by a digest, so that every visible name
    has a room and "!" is not "?".
    """
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())
    spelled = "".join(c if _spells(c) else " " for c in folded)
    words = "-".join(spelled.split())[:60].strip("-_")
    if words:
        return words
    return "x-" + hashlib.sha256(name.encode()).hexdigest()[:10]


def _spells(char: str) -> bool:
    """Whether a character is part of a word: letter, mark, number or underscore."""
    return unicodedata.category(char)[0] in "LMN" or char == "_"


def unlisted_key(name: str) -> str:
    """A fresh address that nobody can guess: the readable one, then 80 random bits.

    No listed room can have such an address, for `room_key` never leaves a tilde in.
    """
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode().lower()
    return f"{room_key(name)}~{secret}"


def is_unlisted(key: str) -> bool:
    return _UNLISTED.search(key) is not None


def is_key(key: str) -> bool:
    """Whether a room can have this address: what `room_key` and `unlisted_key` make, no more."""
    if len(key) > MAX_KEY_CHARS:
        return False
    return bool(readable(key)) and room_key(readable(key)) == readable(key)


def readable(key: str) -> str:
    """The part of an address that the room's name made."""
    return _UNLISTED.sub("", key)


def default_room_name(key: str) -> str:
    """The name of a room of which only the address is known."""
    return readable(key).replace("-", " ")


@functools.lru_cache(maxsize=10_000)
def group(kind: str, key: str) -> str:
    """The channel-layer group of a room: ASCII, under 100 characters, whatever the key is."""
    return f"{kind}.{hashlib.sha256(key.encode()).hexdigest()[:32]}"
