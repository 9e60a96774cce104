"""Hides passwords and other secrets in logs, errors and pages. Pure."""

import re
from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import unquote, urlsplit

HIDDEN = "[hidden]"
MIN_CHARS = 6  # a shorter secret is hidden in addresses alone: it may be part of any word

# A run of characters that an address can have. A client may choose the text, so each search in it
# reads each character once.
_RUN = re.compile(r"[^\s\"'<>]{5,}")
_PASSWORD = re.compile(r"(?i)\b(passw(?:or)?d|pwd)=[^&\s\"'<>]*")
_PASSWORD_VALUE = re.compile(r"(?i)\b(?:passw(?:or)?d|pwd)=([^&]*)")


def without_passwords(text: str) -> str:
    """Returns the text without the passwords of addresses, also misspelt ones."""
    return _PASSWORD.sub(rf"\1={HIDDEN}", _RUN.sub(_without_password, text))


def hide(text: str, secrets: Iterable[str]) -> str:
    """Returns the text without these secrets and without passwords in addresses.

    It also hides a secret that HTML or Python's `repr` has escaped.
    """
    for secret in secrets:
        for spelt in {secret, escape(secret), repr(secret)[1:-1], escape(repr(secret)[1:-1])}:
            if spelt in text:
                text = text.replace(spelt, HIDDEN)
    return without_passwords(text)


def secrets_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Returns the secrets to hide, the longest first, as one may be part of another.

    Of an address that is its password, escaped and not. Any other text is a secret as a whole.
    """
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
