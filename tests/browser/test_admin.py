"""The admin in a browser: no barrier, in light, in dark and on a phone; announcements; the end of a
call; the question before what cannot be taken back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsers.axe import COLOURS, violations
from tests.support.clients.admin_client import NAME, PASSWORD, Admin
from tests.support.servers.dev_server import Noom

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
# The dark one, elsewhere like the light one, serves only for what depends on colours.
LOOKS = {
    "light": ("en", "light", WIDE, None),
    "dark": ("en", "dark", WIDE, COLOURS),
    "phone": ("en", "light", PHONE, None),
    "korean-dark-phone": ("ko", "dark", PHONE, None),
}
PAGES = (
    "login/",
    "",
    "chat/room/",
    "chat/room/1/change/",
    "chat/room/1/delete/",
    "chat/room/1/history/",
    "chat/room/1/announce/",
    "chat/room/announce/",
    "chat/room/people/",
    "chat/message/",
    "chat/ban/",
    "admin/logentry/",
    "auth/user/",
    "password_change/",
)


@pytest.fixture(scope="module")
def admin(noom: Noom) -> Admin:
    return Admin(noom)


def log_in(page: Page) -> None:
    page.goto("/admin/login/?next=/admin/")
    page.locator("#id_username").fill(NAME)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    page.wait_for_url("**/admin/")


@pytest.mark.parametrize("look", LOOKS)
def test_admin_pages_have_no_barrier(people, person, admin, look):
    lang, scheme, size, rules = LOOKS[look]
    nova = person("Nova", "barriers")
    say(nova, "Hello")
    options = {"locale": lang, "color_scheme": scheme, "viewport": size}
    # To measure, axe moves elements by styles that our policy does not let in.
    page = people.page("Admin", **options, bypass_csp=True)
    found = []
    for path in PAGES:
        page.goto(f"/admin/{path}")
        found += [f"/admin/{path} {broken}" for broken in violations(page, rules)]
        if path == "login/":
            log_in(page)
    page.goto("/admin/chat/room/1/change/")
    page.locator("#urgent .noom-danger").first.click()
    expect(page.locator("#question")).to_be_visible()
    found += [f"the question: {broken}" for broken in violations(page, rules)]
    assert not found, "\n".join(found)


def test_announcement_looks_different_from_messages(person, admin):
    nova = person("Nova", "announced")
    forger = person("Announcement from the administrator", "announced", locale="ko")
    say(forger, "I am nobody")
    pk = room_pk(admin, "announced")
    admin.post(f"/admin/chat/room/{pk}/announce/", text="We restart at noon.")
    announced = nova.locator(".message[data-announced]")
    expect(announced).to_have_count(1)
    expect(announced.locator(".message-text")).to_have_text("We restart at noon.")
    expect(announced.locator(".message-author")).to_have_text("Announcement from the administrator")
    expect(forger.locator(".message[data-announced] .message-author")).to_have_text(
        "서버 관리자 공지"
    )
    nova.reload()
    expect(announced).to_have_count(1)


def test_ended_call_leaves_people_in_the_room_with_a_reason(person, admin):
    nova, mira = (person(name, "ended", call=True) for name in ("Nova", "Mira"))
    admin.post(f"/admin/chat/room/{room_pk(admin, 'ended')}/do/end_calls/")
    for page in (nova, mira):
        expect(page.locator("#leave-call")).to_be_hidden()
        expect(page.get_by_text("An administrator ended the call.")).to_be_visible()
    say(nova, "still here")
    expect(mira.locator(".message-text")).to_have_text("still here")


def test_removal_asks_first_and_works_on_a_phone_without_scripts(people, person, admin):
    nova = person("Nova", "asked")
    mira = person("Mira", "asked")
    page = people.page("Admin", viewport=PHONE, java_script_enabled=False)
    log_in(page)
    page.goto(f"/admin/chat/room/{room_pk(admin, 'asked')}/change/")
    urgent, form = page.locator("#urgent"), page.locator("#room_form")
    assert urgent.bounding_box()["y"] < form.bounding_box()["y"]
    row = page.locator("#live tr", has_text="Mira")
    row.get_by_role("button", name="Remove").click()
    expect(page.locator("#question")).to_contain_text("Mira")
    page.get_by_role("link", name="No, go back").click()
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Yes, remove").click()
    expect(mira.get_by_text("You were removed from this room")).to_be_visible()
    expect(nova.locator("#people [data-participant]")).to_have_count(1)


def say(page: Page, text: str) -> None:
    page.fill("form#msg [name=text]", text)
    page.press("form#msg [name=text]", "Enter")
    expect(page.locator(".message-text").last).to_have_text(text)


def room_pk(admin: Admin, key: str) -> str:
    """The number of a room in the admin."""
    found = re.search(r"/admin/chat/room/(\d+)/change/", admin.get(f"/admin/chat/room/?q={key}"))
    assert found
    return found[1]
