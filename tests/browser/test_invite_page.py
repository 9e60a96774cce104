"""The menu beside the copy button: the QR code comes when the menu opens."""

from tests.live.waiting import until, until_page


def test_invite_menu_shows_a_qr_code_and_closes_by_escape(people):
    page = people.enter("Nova", "team")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert page.locator("#qr").is_hidden()
    page.click("#invite")
    until_page(page, "document.querySelector('#qr').naturalWidth > 0")
    assert [url for url in asked if url.endswith("/rooms/team/qr.svg")]
    page.keyboard.press("Escape")
    until(lambda: page.locator("#qr").is_hidden(), "the closed menu")
    assert page.evaluate("document.activeElement.id") == "invite"
