"""No state of the pages has a barrier: two languages, two sizes, light, dark and forced colours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.support.browsers.axe import COLOURS, violations
from tests.support.browsers.media_checks import shows_video
from tests.support.browsers.users import Users, join_call
from tests.support.clients.admin_client import Admin
from tests.support.servers.dev_server import Noom

WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}
# Only these depend on colours; all others judge each state once.


@contextmanager
def opened(page: Page, opener: str, closer: str, what: str) -> Iterator[None]:
    """A sheet, menu or panel, from a click to another."""
    if not page.locator(what).is_visible():
        page.click(opener)
    expect(page.locator(what)).to_be_visible()
    yield
    if closer == "Escape":
        page.keyboard.press("Escape")
    elif page.locator(closer).is_visible():
        page.click(closer)


OPENED = {
    "chat": ("#open-chat", "#side-close", "#chat"),
    "people": ("#open-people", "#side-close", "#people"),
    "invitation": ("#invite", "Escape", "#invite-menu"),
    "shortcuts": ("#show-keys", "#keys-close", "#keys"),
}
DEVICES = {
    "sound devices": ("[data-menu=sound-menu]", "Escape", "#sound-menu"),
    "cameras": ("[data-menu=picture-menu]", "Escape", "#picture-menu"),
}


class Judge:
    """Asks axe of a page in every size and look."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []
        self.asked = 0

    def judge(self, state: str, opening: tuple[str, str, str] | None = None) -> None:
        for size in (WIDE, PHONE):
            self.page.set_viewport_size(size)
            if opening is None:
                self._look(f"{state} {size['width']}")
            elif self.page.locator(opening[0]).is_visible() or size is WIDE:
                with opened(self.page, *opening):
                    self._look(f"{state} {size['width']}")

    def _look(self, state: str) -> None:
        for look, options in LOOKS.items():
            self.page.emulate_media(reduced_motion="reduce", **options)
            rules = None if look == "light" else COLOURS
            self.asked += 1
            self.found += [f"{state} {look}: {one}" for one in violations(self.page, rules)]


@pytest.fixture(params=["en", "ko"])
def judge(request: pytest.FixtureRequest, people: Users) -> Judge:
    """A page in one language, which axe may measure: to do so it moves elements by styles that our
    policy does not let in."""
    page = people.page("Nova", locale=request.param, bypass_csp=True, viewport=WIDE)
    return Judge(page)


def say(page: Page, text: str) -> None:
    page.fill("form#msg [name=text]", text)
    page.press("form#msg [name=text]", "Enter")
    expect(page.locator("#messages")).to_contain_text(text)


def test_welcome_page_has_no_barrier(judge: Judge, person: Callable[..., Page]):
    person("Mira", "open-room")
    judge.page.goto("/")
    expect(judge.page.locator("#rooms")).to_contain_text("open room")
    judge.page.fill("#welcome [name=room]", "open-room")
    judge.judge("welcome")
    assert not judge.found, "\n".join(judge.found)


def test_room_and_call_have_no_barrier(judge: Judge, person: Callable[..., Page]):
    nova, mira = judge.page, person("Mira", "barriers")
    say(mira, "See https://example.org/draft")
    nova.goto("/rooms/barriers/?nickname=Nova", wait_until="domcontentloaded")
    expect(nova.locator("#people [data-participant]")).to_have_count(2)
    say(nova, "I see it")
    judge.judge("before the call")
    for state, opening in OPENED.items():
        judge.judge(f"{state} before the call", opening)
    join_call(nova)
    judge.judge("alone in the call")
    join_call(mira)
    shows_video(nova, 1)
    judge.judge("two in the call")
    mira.click("#share")
    mira.click("#mute")
    shows_video(nova, 1, tiles="#screens video")
    judge.judge("a shared screen")
    for state, opening in (OPENED | DEVICES).items():
        judge.judge(f"{state} in the call", opening)
    assert not judge.found, "\n".join(judge.found)
    assert judge.asked > 60, "it looked away"


def test_refusal_pages_have_no_barrier(judge: Judge, people: Users, noom: Noom):
    page, admin = judge.page, Admin(noom)
    people.expected_errors += ["403"]
    page.goto("/rooms/left/?nickname=Nova", wait_until="domcontentloaded")
    me = page.locator("#people [data-participant]")
    expect(me).to_have_count(1)
    language = page.evaluate("navigator.language")
    rows = admin.get("/admin/chat/room/")
    pk = next(row for row in rows.split("/chat/room/")[1:] if ">left<" in row).split("/")[0]
    admin.post(f"/admin/chat/room/{pk}/remove/{me.get_attribute('data-participant')}/")
    expect(page.locator("#fatal")).to_be_visible()
    judge.judge("removed while in the room")
    page.reload()
    judge.judge("removed before")
    for state, origin in (("misdirected", "https://elsewhere.example"), ("refused", "")):
        html = answer_to_a_form(noom, origin, language)
        answer = partial(Route.fulfill, status=403, content_type="text/html", body=html)
        page.route("**/refusal/", lambda route: answer(route))  # noqa: B023
        page.goto("/refusal/")
        assert page.locator("main h1").inner_text() != ""
        judge.judge(state)
        page.unroute("**/refusal/")
    assert not judge.found, "\n".join(judge.found)


def answer_to_a_form(noom: Noom, origin: str, language: str) -> str:
    """The page that a browser behind a wrong proxy gets, or one that has lost its cookie."""
    headers = {"Accept-Language": language} | ({"Origin": origin} if origin else {})
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(noom.url, b"nickname=Nova", headers))
    with refused.value as answer:
        assert answer.code == 403
        return answer.read().decode()
