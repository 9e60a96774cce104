"""The admin in Korean: no page of it says a word in English."""

import re
from html import unescape
from socket import gethostname

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import AsyncClient

from chat.models import Ban, Message, Room

# Names, what people typed, and what Korean calls by the same letters.
KNOWN = {"Noom", "Ada", "Nova", "someone", "tea", "Tea", "browser", *gethostname().split(".")}
KNOWN |= {"JSON", "IP", "GET", "POST", "HTTP", "Accept", "URL", "LDAP", "Single", "Sign-On"}
KNOWN |= {"True", "False"}  # so Django writes the alternative text of its signs in every language
PAGES = (
    "",
    "chat/",
    "chat/room/",
    "chat/room/?closed=yes&open=no&listed__exact=1",
    "chat/room/{room}/change/",
    "chat/room/{room}/delete/",
    "chat/room/{room}/history/",
    "chat/room/{room}/announce/",
    "chat/room/announce/",
    "chat/room/people/",
    "chat/message/",
    "chat/message/{message}/change/",
    "chat/ban/",
    "chat/ban/{ban}/delete/",
    "admin/logentry/",
    "auth/user/",
    "auth/user/add/",
    "auth/group/",
    "axes/accessattempt/",
    "axes/accessfailurelog/",
    "axes/accesslog/",
    "password_change/",
)

DEEDS = ("close_rooms", "end_calls", "clear_rooms")  # each with its question


def english(page: str) -> set[str]:
    """The words in Latin letters that a person sees, or hears from a screen reader."""
    hidden = r"(?s)<(script|style|svg|template)\b.*?</\1>|<!--.*?-->|<option.*?</option>"
    page = re.sub(hidden, " ", page)
    buttons = re.findall(r'<input type="(?:submit|button)"[^>]* value="([^"]*)"', page)
    spoken = re.findall(r'(?:title|alt|placeholder|aria-label)="([^"]*)"', page)
    text = unescape(re.sub(r"<[^>]*>", " ", page) + " ".join([*buttons, *spoken]))
    text = re.sub(r"\S*(?:/|\d[-:\w]{4})\S*", " ", text)  # of addresses, processes, identifiers
    return set(re.findall(r"[A-Za-z][A-Za-z'-]+", text)) - KNOWN


@pytest.fixture
async def korean() -> AsyncClient:
    """A superuser's browser that asks for Korean."""
    user = await User.objects.acreate_superuser("someone")
    browser = AsyncClient()
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    await browser.aforce_login(user)
    return browser


async def test_admin_pages_say_nothing_in_english(enter, korean):
    nova = await enter("Nova", "tea")
    await nova.post("12")
    room, message = await Room.objects.aget(), await Message.objects.aget()
    await Room.objects.aupdate(name="tea")
    ban = await Ban.objects.acreate(room=room, browser="1", nickname="Ada")
    deeds = [f"chat/room/{room.pk}/do/{name}/" for name in DEEDS]
    await korean.post(f"/admin/chat/room/{room.pk}/do/reopen_rooms/")
    found = {}
    for path in (*PAGES, *deeds):
        address = "/admin/" + path.format(room=room.pk, message=message.pk, ban=ban.pk)
        answer = await (korean.post(address) if path in deeds else korean.get(address))
        assert answer.status_code == 200, path
        page = answer.content.decode().replace(nova.id, "")
        assert "관리" in page, path
        found[path] = english(page)
    assert {path: words for path, words in found.items() if words} == {}
