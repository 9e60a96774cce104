"""Keys, focus, drafts and the way out: typing is text, and a call is hard to lose."""

from playwright.sync_api import Page

from tests.support.browsers.users import join_call
from tests.support.waiting import until, until_page

TEXT = "form#msg [name=text]"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def in_call(page: Page) -> bool:
    return page.locator("#leave-call").is_visible()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.name || ''"))


def pressed(page: Page, button: str) -> str | None:
    return page.get_attribute(button, "data-off")


def test_typing_acts_on_nothing_outside_the_stage(person):
    page = person("Nova", "typing", call=True)
    until(lambda: pressed(page, "#mute") == "false", "the microphone")
    page.fill(TEXT, "hello")
    page.click(".msg-send")
    assert focused(page) == "msg-text"
    page.keyboard.type("all calm, vs. mp")
    assert page.input_value(TEXT) == "all calm, vs. mp"

    page.fill("#nickname-input", "Nora")
    page.press("#nickname-input", "Enter")
    assert focused(page) == "msg-text"

    page.click("#room-title")
    page.keyboard.type("hello lmvs")
    page.focus("#copy-link")
    page.keyboard.type("hello lmvs")
    assert in_call(page)
    assert pressed(page, "#mute") == "false"


def test_keys_act_on_the_stage_and_none_of_them_leaves(person):
    page = person("Nova", "stage", call=True)
    page.focus("#call")
    page.keyboard.press("m")
    until(lambda: pressed(page, "#mute") == "true", "muted")
    page.keyboard.press("l")
    assert in_call(page)
    page.keyboard.press("?")
    page.locator("#keys").wait_for(state="visible")
    page.uncheck("#keys-on")
    page.keyboard.press("Escape")
    page.focus("#call")
    page.keyboard.press("m")
    page.reload(wait_until="domcontentloaded")
    join_call(page)
    page.focus("#call")
    before = pressed(page, "#camera")
    page.keyboard.press("v")
    assert pressed(page, "#camera") == before


def test_page_in_a_call_asks_before_it_closes(person):
    page = person("Nova", "guard", call=True)
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.click(".brand", no_wait_after=True)
    until(lambda: asked == ["beforeunload"], "the question")


def test_page_after_the_call_closes_without_a_question(person):
    page = person("Nova", "way-out", call=True)
    page.click("#leave-call")
    page.locator("#leave-room").wait_for(state="visible")
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.click("#leave-room")
    page.wait_for_url("**/")
    assert asked == []


def test_draft_survives_reload_and_ends_when_sent(person):
    page = person("Nova", "draft")
    page.fill(TEXT, "  half a thought")
    page.reload(wait_until="domcontentloaded")
    assert page.input_value(TEXT) == "  half a thought"
    page.goto("/", wait_until="domcontentloaded")
    page.go_back(wait_until="domcontentloaded")
    assert page.input_value(TEXT) == "  half a thought"
    page.press(TEXT, "Enter")
    page.reload(wait_until="domcontentloaded")
    assert page.input_value(TEXT) == ""


def test_text_over_the_limit_stays_and_shows_its_excess(person):
    page = person("Nova", "limit")
    page.fill(TEXT, "🍵" * 4_003)
    assert "3 characters too many" in page.inner_text("#msg-over")
    page.press(TEXT, "Enter")
    assert page.evaluate(f"[...document.querySelector('{TEXT}').value].length") == 4_003
    page.fill(TEXT, "🍵" * 4_000)
    assert page.locator("#msg-over").is_hidden()


def test_enter_that_ends_a_composition_sends_nothing(person):
    page = person("Nova", "composition")
    page.fill(TEXT, "안녕")
    page.evaluate(
        f"document.querySelector('{TEXT}').dispatchEvent(new KeyboardEvent('keydown',"
        " { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }))"
    )
    assert page.input_value(TEXT) == "안녕"


def test_enter_on_a_phone_starts_a_new_line(person):
    page = person("Nova", "glass", **PHONE)
    page.click("#open-chat")
    page.fill(TEXT, "one")
    page.press(TEXT, "Enter")
    page.type(TEXT, "two")
    assert page.input_value(TEXT) == "one\ntwo"


def test_sheet_keeps_controls_reachable_and_makes_the_rest_inert(person):
    page = person("Nova", "sheet", call=True, **PHONE)
    page.click("#open-chat")
    page.locator(TEXT).wait_for(state="visible")
    assert page.evaluate("document.getElementById('call').inert")
    page.click("#mute")
    until(lambda: pressed(page, "#mute") == "true", "muted under the sheet")
    page.click("#leave-call")
    until(lambda: not in_call(page), "out of the call")
    page.mouse.click(195, 80)
    until_page(page, "!document.getElementById('call').inert")


def test_form_without_its_script_keeps_what_was_typed(people):
    page = people.page("Nova")
    page.route("**/*.joined*.js", lambda route: route.abort())
    people.expected_errors.append("ERR_FAILED")
    page.goto("/rooms/slow/?nickname=Nova", wait_until="domcontentloaded")
    page.fill(TEXT, "typed early")
    page.click(".msg-send")
    assert page.url.endswith("/rooms/slow/?nickname=Nova")
    assert page.input_value(TEXT) == "typed early"
