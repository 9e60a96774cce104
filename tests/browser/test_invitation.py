"""Ways to invite: the link is copied, shared by the system's sheet, and read from a QR code."""

import pytest

from tests.support.browsers.qr_reader import read_code
from tests.support.waiting import until, until_page

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# No headless browser has the system's sheet.
SHEET = "navigator.share = async (what) => { window.shared = what; }"
NO_SHEET = "delete Navigator.prototype.share"
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"


def test_invite_menu_shows_a_qr_code_and_closes_by_escape(people):
    page = people.enter("Nova", "team")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert page.locator("#qr").is_hidden()
    assert read_code(page) is None
    page.click("#invite")
    until_page(page, "document.querySelector('#qr').naturalWidth > 0")
    assert [url for url in asked if url.endswith("/rooms/team/qr.svg")]
    page.keyboard.press("Escape")
    until(lambda: page.locator("#qr").is_hidden(), "the closed menu")
    assert page.evaluate("document.activeElement.id") == "invite"


@pytest.mark.parametrize("room", ["team", "팀 회의"])
@pytest.mark.parametrize(
    "look", [{}, {"color_scheme": "dark", **PHONE}, {"forced_colors": "active"}]
)
def test_camera_reads_the_rooms_address_from_the_page(people, room, look):
    page = people.enter("Nova", room, **look)
    page.click("#invite")
    until_page(page, "document.querySelector('#qr').naturalWidth > 0")
    address = page.evaluate("location.origin + location.pathname")
    assert address.startswith(f"{people.url}/rooms/")
    until(lambda: read_code(page) == address, "the address")


def test_system_share_sheet_gets_the_room_link(people):
    page = people.page("Nova")
    page.add_init_script(SHEET)
    page.goto("/rooms/team/?nickname=Nova")
    page.click("#invite")
    page.click("#share-link")
    shared = until_page(page, "window.shared")
    assert shared["url"] == f"{people.url}/rooms/team/"
    assert "team" in shared["title"]


def test_share_button_is_hidden_without_a_share_sheet(people):
    page = people.page("Nova")
    page.add_init_script(NO_SHEET)
    page.goto("/rooms/team/?nickname=Nova")
    page.click("#invite")
    until_page(page, "document.querySelector('#qr').naturalWidth > 0")
    assert page.locator("#share-link").is_hidden()


@pytest.mark.parametrize("script", ["", NO_CLIPBOARD], ids=["clipboard", "plain http"])
def test_link_is_copied_without_the_visitors_name(people, script):
    page = people.page("Nova", permissions=["clipboard-read", "clipboard-write"])
    page.add_init_script(script)
    page.goto("/rooms/team/?nickname=Nova")
    page.click("#copy-link")
    until(lambda: page.inner_text(".copy-link-words") == "Copied", "the word that it is copied")
    page.focus("#msg-text")
    page.keyboard.press("Control+v")
    assert page.input_value("#msg-text") == f"{people.url}/rooms/team/"
