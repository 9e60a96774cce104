"""Keys of rooms, made from their names. Pure.

Names that look different give different keys. Letters, marks and digits stay, case-folded, and
hyphens join words. Any other sign becomes its code point between tildes: "Team Standup" is at
`team-standup`, "C++" at `c~2b-2b`.
"""

import base64
import hashlib
import re
import secrets
import unicodedata

from chat.names.cleaning import room_name
from chat.names.visible import COLOURED, is_mark, shows, visible

MAX_KEY_CHARS = 80
MAX_READABLE_CHARS = 60  # leaves room for a secret in the database's column
DIGEST_CHARS = 8  # 40 bits
SECRET_BYTES = 10  # 80 bits make an unlisted room's address unguessable

_UNLISTED = re.compile(r"~[a-z2-7]{16}$")
_ANY_UNLISTED = re.compile(_UNLISTED.pattern, re.IGNORECASE)
_DIGEST = re.compile(rf"~[a-z2-7]{{{DIGEST_CHARS}}}$")
_SIGNS = re.compile(r"[0-9a-f]{1,6}(-[0-9a-f]{1,6})*")
# Forms of one letter that differ only in width or by their place in a word.
_SAME = ("<wide>", "<narrow>", "<initial>", "<medial>", "<final>", "<isolated>")


def key_of_name(name: str) -> str:
    """The key of a listed room, from its name as it is shown or typed.

    Names that differ only in case, width, spaces or spelling (NFC) have one key. A hyphen between
    two words counts as a space, because people also type a readable address as a name.
    """
    folded = _folded(name)
    key = _spelled(folded)
    if len(key) <= MAX_READABLE_CHARS and _folded(_unspelled(key) or "") == folded:
        return key
    code = base64.b32encode(hashlib.sha256(folded.encode()).digest()).decode().lower()
    digest = f"~{code[:DIGEST_CHARS]}"
    words = _words(folded)[: MAX_READABLE_CHARS - len(digest)].strip("-_")
    return words + digest if _is_digest(words + digest) else digest


def older_key(name: str) -> str:
    """The key that a room of this name had before signs counted.

    Rooms from that time keep it.
    """
    bare = "".join(c for c in name if shows(c) or c == " ")
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", bare).casefold())
    words = _words(folded)[:60].strip("-_")
    return words or "x-" + hashlib.sha256(bare.encode()).hexdigest()[:10]


def unlisted_key(name: str) -> str:
    """A new key that nobody can guess: the readable one, then 80 random bits.

    No listed room can have such a key, because `room_key` puts fewer characters behind a tilde.
    """
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode().lower()
    return f"{key_of_name(name)}~{secret}"


def is_unlisted(key: str) -> bool:
    return _UNLISTED.search(key) is not None


def is_key(key: str) -> bool:
    """Whether `room_key`, `older_key` or `unlisted_key` can make this key."""
    found = slug_of(key)
    if not found or len(key) > MAX_KEY_CHARS or len(found) > MAX_READABLE_CHARS:
        return False
    is_older = room_name(found) == found == older_key(found)
    return is_older or key_of_name(default_room_name(found)) == found or _is_digest(found)


def _is_digest(key: str) -> bool:
    words, ends = _DIGEST.subn("", key)
    return ends == 1 and _words(_folded(words)) == words


def meant(typed: str) -> tuple[str | None, str]:
    """The key and the name that a typed address means.

    People type capitals, spaces or NFD. The key is None if only the name can give it. The name is
    empty if nothing typed is visible.
    """
    name = room_name(_ANY_UNLISTED.sub("", typed))
    key = "-".join(_folded(typed).split())
    if not is_key(key):
        return None, name
    return key, name if key_of_name(name) == slug_of(key) else default_room_name(key)


def slug_of(key: str) -> str:
    """The part of a key that the room's name made."""
    return _UNLISTED.sub("", key)


def default_room_name(key: str) -> str:
    """The name of a room of which only the key is known."""
    found = slug_of(key)
    return _unspelled(found) or _DIGEST.sub("", found).replace("-", " ") or found


def _folded(name: str) -> str:
    """A name without differences in case, width, spaces and spelling."""
    usual = ""
    for char in room_name(name).replace(COLOURED, ""):
        usual += _of_usual_width(char, before=usual[-1:])
    folded = " ".join(visible(unicodedata.normalize("NFC", usual).casefold()).split())
    return "".join(" " if _joins(folded, place) else c for place, c in enumerate(folded))


def _joins(text: str, place: int) -> bool:
    """Whether the character at `place` is a hyphen between two words."""
    around = text[place - 1 : place] + text[place + 1 : place + 2]
    return text[place] == "-" and len(around) == 2 and all(map(_is_of_word, around))


def _of_usual_width(char: str, *, before: str) -> str:
    form, _, codes = unicodedata.decomposition(char).partition(" ")
    if form not in _SAME:
        return char
    letters = "".join(chr(int(code, 16)) for code in codes.split())
    # Some forms are visible alone, while their usual form needs a letter before it.
    is_alone = " " in letters or (is_mark(letters[0]) and not before.strip())
    return char if is_alone else letters


def _spelled(folded: str) -> str:
    inner = folded.strip("_")
    start = folded.index(inner) if inner else len(folded)
    parts: list[str] = []
    signs: list[str] = []
    for place, char in enumerate(folded):
        is_inner = start <= place < start + len(inner)
        if char == " " or (is_inner and _is_of_word(char)):
            if signs:
                parts.append(f"~{'-'.join(signs)}~")
                signs.clear()
            parts.append("-" if char == " " else char)
        else:
            signs.append(f"{ord(char):x}")
    if signs:
        parts.append(f"~{'-'.join(signs)}")
    return "".join(parts)


def _unspelled(key: str) -> str | None:
    """The folded name that gives this key; None if no name does."""
    texts = key.split("~")
    for place in range(1, len(texts), 2):
        if not _SIGNS.fullmatch(texts[place]):
            return None
        codes = [int(code, 16) for code in texts[place].split("-")]
        if max(codes) > 0x10FFFF:
            return None
        texts[place] = "".join(map(chr, codes))
    texts[::2] = [text.replace("-", " ") for text in texts[::2]]
    name = "".join(texts)
    return name if _spelled(name) == key else None


def _words(folded: str) -> str:
    spelled = "".join(c if _is_of_word(c) else " " for c in folded)
    return "-".join(spelled.split())


def _is_of_word(char: str) -> bool:
    """Whether a character is part of a word: letter, mark, number or underscore."""
    return unicodedata.category(char)[0] in "LMN" or char == "_"
