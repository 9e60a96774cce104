"""Names that people type: cleaned for the eye, and told apart. Pure."""

import functools
import hashlib
import unicodedata
from collections.abc import Iterable

from disarm import skeleton_key

from chat.names.visible import has_ink, shows, visible

DEFAULT_NICKNAME = "Anon"
MAX_NICKNAME_CHARS = 32
MAX_ROOM_NAME_CHARS = 64
MARKS_IN_A_ROW = 2  # more of them on one letter climb into the next line
# What pages call oneself and those who look after rooms, in every language of theirs.
RESERVED = (
    *("You", "Me", "Myself", "Host", "Co-host", "Moderator", "Admin", "Administrator", "Operator"),
    *("Server", "System", "나", "저", "본인", "호스트", "공동 호스트", "방장", "진행자", "관리자"),
    *("서버 관리자", "운영자", "시스템", "서버"),
)


# What UTS 39 keeps apart, and a hasty eye does not.
_LOOKALIKES = str.maketrans("01!iι", "ollll")
_PAIRS = (("rn", "m"), ("vv", "w"))
# They pass for the badge of the host.
_CROWNS = str.maketrans("", "", "\U0001f451\u2654\u2655\u265a\u265b\U0001fa75")


def clean(text: str, limit: int) -> str:
    """One line of visible text, NFC, at most `limit` characters; may be empty."""
    text = " ".join(_few_marks(visible(text)).split())
    while len(text) > limit:
        # The end may cut an emoji in pieces of which not all show.
        text = visible(text[:limit]).strip()
    return text


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
    """A message: its lines as they were typed, without control characters and outer space; empty
    where there is nothing to see in it.

    Joiners and bidi marks stay: emoji and right-to-left text need them, and the page isolates
    each message, so that none can turn its neighbour around.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.translate(_NO_CONTROLS).strip() if has_ink(lines) else ""


def nickname(text: str) -> str:
    """The nickname to show for what was typed; "Anon" for nothing."""
    return clean(text.translate(_CROWNS), MAX_NICKNAME_CHARS) or DEFAULT_NICKNAME


@functools.lru_cache(maxsize=20_000)
def skeleton(name: str) -> str:
    """What two names share when they look alike to a hasty eye: the skeleton of Unicode's UTS 39,
    without marks, case and spaces."""
    # Mapped before it is folded, too: folded, a Greek N is a "v", and its old c a final sigma.
    seen = "".join(c for c in name if shows(c))
    folded = unicodedata.normalize("NFKD", skeleton_key(seen)).casefold()
    bare = "".join(c for c in folded if not _is_mark(c) and shows(c))
    found = skeleton_key(bare).translate(_LOOKALIKES)
    for pair, letter in _PAIRS:
        found = found.replace(pair, letter)
    return found


def _is_mark(char: str) -> bool:
    return bool(unicodedata.combining(char)) or unicodedata.category(char) == "Me"


def distinct(name: str, taken: set[str]) -> str:
    """`name`, or with the first number behind it that no skeleton in `taken` has, if one has its
    own, or if the page uses it for others than a guest."""
    return _numbered(name, taken | {skeleton(name)} if is_reserved(name) else taken)


def _numbered(name: str, taken: set[str], limit: int = MAX_NICKNAME_CHARS) -> str:
    candidate, number = name, 2
    while skeleton(candidate) in taken:
        suffix = f" ({number})"
        candidate = clean(name, limit - len(suffix)) + suffix
        number += 1
    return candidate


def is_reserved(name: str) -> bool:
    """Whether a name, or what stands in brackets at its end, reads as what a page calls oneself or
    those who look after rooms."""
    found = skeleton(name)
    return found in _reserved() or found.rpartition("(")[2].removesuffix(")") in _reserved()


@functools.cache
def _reserved() -> frozenset[str]:
    return frozenset(map(skeleton, RESERVED))


def told_apart(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The names of rooms by their keys, a later one with a number where two look alike."""
    taken: set[str] = set()
    apart = {}
    for key, name in found:
        apart[key] = _numbered(name, taken, MAX_ROOM_NAME_CHARS)
        taken.add(skeleton(apart[key]))
    return apart


def room_name(text: str) -> str:
    """A room's name as it is shown; empty where nothing visible was typed."""
    return clean(text, MAX_ROOM_NAME_CHARS)


@functools.lru_cache(maxsize=10_000)
def group(kind: str, key: str) -> str:
    """The channel-layer group of a room: ASCII, under 100 characters, whatever the key is."""
    return f"{kind}.{hashlib.sha256(key.encode()).hexdigest()[:32]}"
