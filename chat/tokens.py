"""The signed participant token, and the name of a browser."""

import secrets
from typing import NamedTuple

from django.conf import settings
from django.core import signing

SALT = "noom.participant"
ID_BYTES = 9  # twelve characters of base64


class BadToken(Exception):
    """A token with a bad signature, for another room, or too old."""


class ParticipantClaims(NamedTuple):
    """The content of a token.

    `room_name` is the name of the room if this participant is the first to enter it.
    """

    key: str
    participant: str
    browser: str
    room_name: str


def issue(*, key: str, browser: str, room_name: str) -> str:
    """Make a token for a new participant."""
    return renew(ParticipantClaims(key, secrets.token_urlsafe(ID_BYTES), browser, room_name))


def renew(identity: ParticipantClaims) -> str:
    """Make a new token for a participant."""
    return signing.dumps(list(identity), salt=SALT)


def verify(token: str, *, key: str) -> ParticipantClaims:
    """Read a token.

    Raises BadToken unless the token is signed, younger than TOKEN_MAX_AGE_S and for the room `key`.
    """
    try:
        identity = ParticipantClaims(
            *signing.loads(token, salt=SALT, max_age=settings.TOKEN_MAX_AGE_S)
        )
    except (signing.BadSignature, TypeError, ValueError) as error:
        raise BadToken from error
    if identity.key != key:
        raise BadToken
    return identity


def new_browser_id() -> str:
    """Make a new name for a browser, for its signed cookie."""
    return secrets.token_urlsafe(16)
