"""Codes of the answer `error`. Pure.

`manage.py write_protocol` writes them into docs/protocol.md; the metrics count each.
"""

from typing import Literal, get_args

# A rule refuses the request; the connection stays open.
RefusalCode = Literal[
    "removed",
    "room_full",
    "room_closed",
    "too_many_rooms",
    "call_full",
    "not_in_room",
    "empty_message",
    "empty_nickname",
    "bad_history",
    "too_fast",
    "try_later",
]
# The client breaks the protocol; the connection closes.
BrokenClientCode = Literal[
    "not_text", "too_large", "bad_frame", "unknown_type", "bad_payload", "bad_order"
]
OtherCode = Literal["bad_token", "server_error"]
ErrorCode = RefusalCode | BrokenClientCode | OtherCode

REFUSALS: tuple[str, ...] = get_args(RefusalCode)
BROKEN_CLIENT: tuple[str, ...] = get_args(BrokenClientCode)
OTHERS: tuple[str, ...] = get_args(OtherCode)
ALL = (*REFUSALS, *BROKEN_CLIENT, *OTHERS)
