"""A name is asked for once, before others see one, and stays with the tab that chose it."""

import pytest
from playwright.sync_api import Page

from tests.support.waiting import until

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
NAMES = "[...document.querySelectorAll('#people .person-name')].map(name => name.textContent)"


def names(page: Page) -> list[str]:
    return sorted(page.evaluate(NAMES))


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_link_asks_for_a_name_before_others_see_one(people, device):
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


def test_nameless_guest_is_called_so_in_the_page_language(people):
    page = people.page("Nobody", locale="ko-KR")
    page.goto("/rooms/nameless/", wait_until="domcontentloaded")
    page.press("#ask-name-input", "Enter")
    until(lambda: names(page) == ["익명 (나)"], "the Korean word")


def test_name_typed_on_the_welcome_page_goes_along_with_a_click_on_a_room(people):
    nova = people.enter("Nova", "clicked")
    mira = people.page("Mira")
    mira.goto("/", wait_until="domcontentloaded")
    mira.fill("[name=nickname]", "Mira")
    mira.click("#rooms [data-room='clicked'] a")
    until(lambda: names(nova) == ["Mira", "Nova (you)"], "Mira by her name")


def test_two_tabs_keep_their_own_names(people):
    nova = people.enter("Nova", "tabs")
    other = nova.context.new_page()
    other.goto("/rooms/tabs/?nickname=Nora", wait_until="domcontentloaded")
    until(lambda: names(nova) == ["Nora", "Nova (you)"], "both")
    nova.reload(wait_until="domcontentloaded")
    until(lambda: names(nova) == ["Nora", "Nova (you)"], "both, after a reload")


def test_name_that_shows_nothing_gives_way_to_the_old_one(people):
    nova = people.enter("Nova", "refused")
    nova.fill("#nickname-input", "\u200b")
    nova.press("#nickname-input", "Enter")
    until(lambda: nova.input_value("#nickname-input") == "Nova", "the old name in its field")
    nova.reload(wait_until="domcontentloaded")
    until(lambda: names(nova) == ["Nova (you)"], "the old name")


def test_number_behind_a_name_goes_with_whoever_had_the_name(people):
    ghost = people.enter("Nova", "ghost")
    nova = people.enter("Nova", "ghost")
    until(lambda: names(nova) == ["Nova", "Nova (2) (you)"], "the number")
    ghost.context.close()
    until(lambda: names(nova) == ["Nova (you)"], "the number gone", seconds=40)
