"""The page asks for a name once, before others see one, and stays with the tab that chose it."""

import pytest
from playwright.sync_api import Page

from tests.support.waiting import until

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
NAMES = "[...document.querySelectorAll('#people .person-name')].map(name => name.textContent)"


def names(page: Page) -> list[str]:
    return sorted(page.evaluate(NAMES))


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_room_link_asks_for_a_nickname_first(people, device):
    room = f"asked-{len(device)}"
    nova = people.enter("Nova", room)
    mira = people.page("Mira", **device)
    mira.goto(f"/rooms/{room}/", wait_until="domcontentloaded")
    mira.locator("#ask-name").wait_for(state="visible")
    assert mira.locator("#join-call").is_hidden()
    assert names(nova) == ["Nova (you)"]
    mira.fill("#ask-name-input", "Mira")
    mira.press("#ask-name-input", "Enter")
    until(lambda: names(nova) == ["Mira", "Nova (you)"], "Mira by her name")

    again = mira.context.new_page()
    again.goto("/rooms/asked-later/", wait_until="domcontentloaded")
    until(lambda: names(again) == ["Mira (you)"], "the name without another question")


def test_default_nickname_is_in_the_pages_language(people):
    page = people.page("Nobody", locale="ko-KR")
    page.goto("/rooms/nameless/", wait_until="domcontentloaded")
    page.press("#ask-name-input", "Enter")
    until(lambda: names(page) == ["익명 (나)"], "the Korean word")


def test_click_on_a_listed_room_takes_the_typed_nickname_along(people):
    nova = people.enter("Nova", "clicked")
    mira = people.page("Mira")
    mira.goto("/", wait_until="domcontentloaded")
    mira.fill("[name=nickname]", "Mira")
    mira.click("#rooms [data-room='clicked'] a")
    until(lambda: names(nova) == ["Mira", "Nova (you)"], "Mira by her name")


def test_two_tabs_keep_different_nicknames(people):
    nova = people.enter("Nova", "tabs")
    other = nova.context.new_page()
    other.goto("/rooms/tabs/?nickname=Nora", wait_until="domcontentloaded")
    until(lambda: names(nova) == ["Nora", "Nova (you)"], "both")
    nova.reload(wait_until="domcontentloaded")
    until(lambda: names(nova) == ["Nora", "Nova (you)"], "both, after a reload")


def test_invisible_nickname_is_replaced_by_the_old_one(people):
    nova = people.enter("Nova", "refused")
    nova.fill("#nickname-input", "\u200b")
    nova.press("#nickname-input", "Enter")
    until(lambda: nova.input_value("#nickname-input") == "Nova", "the old name in its field")
    nova.reload(wait_until="domcontentloaded")
    until(lambda: names(nova) == ["Nova (you)"], "the old name")


def test_nickname_number_ends_when_the_other_leaves(people):
    ghost = people.enter("Nova", "ghost")
    nova = people.enter("Nova", "ghost")
    until(lambda: names(nova) == ["Nova", "Nova (2) (you)"], "the number")
    ghost.context.close()
    until(lambda: names(nova) == ["Nova (you)"], "the number gone", seconds=40)
