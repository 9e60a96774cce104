"""The page of a room, as far as a participant in Python needs it: its token."""

import asyncio
import re
from contextlib import suppress
from html import unescape
from http.client import HTTPException
from threading import Thread
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import msgspec

from call.bot.socket import Unreachable

DEADLINE_S = 15.0
_ROOM_DATA = re.compile(r'<script id="room-data" type="application/json">(.*?)</script>', re.S)


class RoomPage(NamedTuple):
    """The address of a room's page after redirects, and its key and token."""

    url: str
    key: str
    token: str


class _RoomData(msgspec.Struct):
    key: str
    token: str


async def load(url: str, room: str) -> RoomPage:
    """Load the page of a room by its name or key, from the Noom at `url`.

    Raises Unreachable.
    """
    loop = asyncio.get_running_loop()
    loaded: asyncio.Future[RoomPage] = loop.create_future()

    def deliver(page: RoomPage | None, error: Exception | None) -> None:
        if loaded.done():
            return
        if error:
            loaded.set_exception(error)
        elif page:
            loaded.set_result(page)

    def work() -> None:
        page, problem = None, None
        try:
            page = _load(url, room)
        except Exception as error:
            problem = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(deliver, page, problem)

    # Not `to_thread`: a program waits for its threads at the end, even for a silent server.
    Thread(target=work, daemon=True).start()
    return await loaded


def _load(url: str, room: str) -> RoomPage:
    if urlsplit(url).scheme not in ("http", "https"):
        raise Unreachable(f"{url}: not the address of a Noom, which begins with http.")
    address = f"{url.rstrip('/')}/rooms/{quote(room, safe='')}/"
    try:
        with urlopen(address, timeout=DEADLINE_S) as response:  # noqa: S310 - checked above
            page, found = response.read().decode(), urlsplit(response.url)
    except HTTPError as error:
        with error:
            raise Unreachable(f"{address}: {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(f"{address}: {error}") from error
    script = _ROOM_DATA.search(page)
    if script is None:
        raise Unreachable(f"{address}: not a room of Noom.")
    data = msgspec.json.decode(unescape(script[1]), type=_RoomData)
    return RoomPage(f"{found.scheme}://{found.netloc}", data.key, data.token)
