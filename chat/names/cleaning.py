"""Cleaning and comparison of names and messages. Pure."""

import functools
import hashlib
import unicodedata
from collections.abc import Iterable

from disarm import skeleton_key

from chat.names.visible import has_ink, shows, visible

DEFAULT_NICKNAME = "Anon"
MAX_NICKNAME_CHARS = 32
MAX_ROOM_NAME_CHARS = 64
MARKS_IN_A_ROW = 2  # more marks on one letter would overlap another line
# Pages use these names for their reader and for moderators, in each of their languages.
RESERVED = (
    *("You", "Me", "Myself", "Host", "Co-host", "Moderator", "Admin", "Administrator", "Operator"),
    *("Server", "System", "나", "저", "본인", "호스트", "공동 호스트", "방장", "진행자", "관리자"),
    *("서버 관리자", "운영자", "시스템", "서버"),
)


# Letters that UTS 39 keeps apart, and that look alike at a glance.
_LOOKALIKES = str.maketrans("01!iι", "ollll")
_PAIRS = (("rn", "m"), ("vv", "w"))
# Characters that could pass for the badge of the host.
_HOST_BADGES = str.maketrans("", "", "\U0001f451\u2654\u2655\u265a\u265b\U0001fa75")


def clean_line(text: str, limit: int) -> str:
    """One line of visible text, NFC, at most `limit` characters; may be empty."""
    text = " ".join(_few_marks(visible(text)).split())
    while len(text) > limit:
        # The cut may split an emoji into pieces, some of which are invisible.
        text = visible(text[:limit]).strip()
    return text


def _few_marks(text: str) -> str:
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MARKS_IN_A_ROW:
            kept.append(char)
    return "".join(kept)


# All of Unicode's category Cc, except line feed and tab.
_NO_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")})


def clean_text(text: str) -> str:
    """The text of a message without control characters and outer space.

    It is empty if nothing in it is visible. Joiners and bidi marks stay: emoji and right-to-left
    text need them, and the page isolates each message, so that none can reverse its neighbour.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.translate(_NO_CONTROLS).strip() if has_ink(lines) else ""


def nickname(text: str, default: str = DEFAULT_NICKNAME) -> str:
    """The nickname to show for a typed one; `default` if it is empty."""
    return clean_line(text.translate(_HOST_BADGES), MAX_NICKNAME_CHARS) or default


@functools.lru_cache(maxsize=20_000)
def skeleton(name: str) -> str:
    """The part of a name that names share if they look alike at a glance.

    It is the skeleton of Unicode's UTS 39, without marks, case and spaces.
    """
    # Mapped before case folding too, which makes a Greek N a "v" and its old c a final sigma.
    seen = "".join(c for c in name if shows(c))
    folded = unicodedata.normalize("NFKD", skeleton_key(seen)).casefold()
    bare = "".join(c for c in folded if not _is_mark(c) and shows(c))
    found = skeleton_key(bare).translate(_LOOKALIKES)
    for pair, letter in _PAIRS:
        found = found.replace(pair, letter)
    return found


def _is_mark(char: str) -> bool:
    return bool(unicodedata.combining(char)) or unicodedata.category(char) == "Me"


def make_distinct(name: str, taken: set[str]) -> str:
    """`name`, or `name` with the first number that makes it distinct.

    A number follows if `taken` has the skeleton of the name, or if pages reserve the name.
    """
    return _numbered(name, taken | {skeleton(name)} if is_reserved(name) else taken)


def _numbered(name: str, taken: set[str], limit: int = MAX_NICKNAME_CHARS) -> str:
    candidate, number = name, 2
    while skeleton(candidate) in taken:
        suffix = f" ({number})"
        candidate = clean_line(name, limit - len(suffix)) + suffix
        number += 1
    return candidate


def is_reserved(name: str) -> bool:
    """Whether pages use a name for its reader or for moderators.

    It also checks the part in brackets at the end of the name.
    """
    found = skeleton(name)
    return found in _reserved() or found.rpartition("(")[2].removesuffix(")") in _reserved()


@functools.cache
def _reserved() -> frozenset[str]:
    return frozenset(map(skeleton, RESERVED))


def distinct_room_names(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The names of rooms by key; of two that look alike, the later has a number."""
    taken: set[str] = set()
    apart = {}
    for key, name in found:
        apart[key] = _numbered(name, taken, MAX_ROOM_NAME_CHARS)
        taken.add(skeleton(apart[key]))
    return apart


def room_name(text: str) -> str:
    """The name of a room as shown; empty if nothing typed is visible."""
    return clean_line(text, MAX_ROOM_NAME_CHARS)


@functools.lru_cache(maxsize=10_000)
def group(kind: str, key: str) -> str:
    """The channel-layer group of a room: ASCII, under 100 characters, for any key."""
    return f"{kind}.{hashlib.sha256(key.encode()).hexdigest()[:32]}"
