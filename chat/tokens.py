"""The participant token: who a page speaks for, signed by us; and the browser that hosts a room."""

import secrets
from typing import NamedTuple

from django.conf import settings
from django.core import signing

SALT = "noom.participant"
ID_BYTES = 9  # twelve characters of base64


class BadToken(Exception):
    """Not a token of ours, or for another room, or too old."""


class Identity(NamedTuple):
    """Whom a token names: a participant of one room, the browser it sits at, and the name that the
    room gets if this participant is the first to enter it."""

    key: str
    participant: str
    browser: str
    room_name: str


def mint(*, key: str, browser: str, room_name: str) -> str:
    """A token for a participant that has not been before."""
    return renew(Identity(key, secrets.token_urlsafe(ID_BYTES), browser, room_name))


def renew(identity: Identity) -> str:
    """A token for the same participant, as good as new."""
    return signing.dumps(list(identity), salt=SALT)


def read(token: str, *, key: str) -> Identity:
    """Whom the token names. Raises BadToken unless we signed it, lately, for the room `key`."""
    try:
        identity = Identity(*signing.loads(token, salt=SALT, max_age=settings.TOKEN_MAX_AGE_S))
    except (signing.BadSignature, TypeError, ValueError) as error:
        raise BadToken from error
    if identity.key != key:
        raise BadToken
    return identity


def new_browser() -> str:
    """A fresh name for a browser, kept in its signed cookie."""
    return secrets.token_urlsafe(16)
