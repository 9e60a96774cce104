"""Blots passwords and other secrets out of what people read: logs, errors, pages. Pure."""

import re
from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import unquote, urlsplit

HIDDEN = "[hidden]"
MIN_CHARS = 6  # a shorter secret is blotted out in addresses alone: it may be part of any word

# A run of what an address can be written with; a client may choose the text, so no search in it
# may take longer than one look at each character.
_RUN = re.compile(r"[^\s\"'<>]{5,}")
_PASSWORD = re.compile(r"(?i)\b(passw(?:or)?d|pwd)=[^&\s\"'<>]*")
_PASSWORD_VALUE = re.compile(r"(?i)\b(?:passw(?:or)?d|pwd)=([^&]*)")


def without_passwords(text: str) -> str:
    """The text with the passwords of the addresses in it blotted out, also of misspelt ones."""
    return _PASSWORD.sub(rf"\1={HIDDEN}", _RUN.sub(_without_password, text))


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text without passwords in addresses, and without these secrets, also as HTML or as
    Python writes them."""
    for secret in secrets:
        for spelt in {secret, escape(secret), repr(secret)[1:-1], escape(repr(secret)[1:-1])}:
            if spelt in text:
                text = text.replace(spelt, HIDDEN)
    return without_passwords(text)


def secrets_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The secrets to hide: of an address its password, as it is written and as it is meant; any
    other text as a whole. The longest come first, for one may be a part of another."""
    found = {secret for text in texts for secret in _secrets(text) if len(secret) >= MIN_CHARS}
    return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))


def _secrets(text: str) -> Iterator[str]:
    if "://" not in text:
        yield text
        return
    address = urlsplit(text)
    user, at, _ = address.netloc.rpartition("@")
    written = [user.partition(":")[2]] if at else []
    written += _PASSWORD_VALUE.findall(address.query)
    for password in written:
        yield password
        yield unquote(password)


def _without_password(run: re.Match[str]) -> str:
    scheme, separator, rest = run[0].partition("://")
    user, at, place = rest.rpartition("@")
    if not separator or not at or ":" not in user:
        return run[0]
    return f"{scheme}://{user.partition(':')[0]}:{HIDDEN}@{place}"
