"""The room as everybody sees and hears it: forced colours, small windows, touch, screen readers."""

import pytest
from playwright.sync_api import Page

from tests.support.browsers.media_checks import shows_video
from tests.support.waiting import until

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
KEYBOARD = {**PHONE, "viewport": {"width": 390, "height": 330}}
LUMINANCE = """(() => {
  const canvas = document.createElement('canvas').getContext('2d');
  const light = (name) => {
    canvas.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name);
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((c) => (c / 255) ** 2.2);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const hover = light('--surface-hover');
  return ['--stage', '--surface'].map((name) => light(name) / hover).map((c) => Math.max(c, 1 / c));
})()"""
# Scrolls each control into view, and names those that are then not where a finger would press.
OUT_OF_REACH = """(selector) => [...document.querySelectorAll(selector)]
  .filter((button) => button.getClientRects().length > 0)
  .filter((button) => {
    button.scrollIntoView({ block: 'center' });
    const { x, y, width, height } = button.getBoundingClientRect();
    return !button.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  }).map(({ id }) => id)"""


def style(page: Page, selector: str, name: str, pseudo: str = "") -> str:
    return str(
        page.evaluate(
            "([selector, name, pseudo]) =>"
            " getComputedStyle(document.querySelector(selector), pseudo || null)[name]",
            [selector, name, pseudo],
        )
    )


def test_forced_colours_show_the_switch_and_its_state(people):
    page = people.page("Nova", forced_colors="active")
    page.goto("/")
    switch = ".switch input"
    assert style(page, switch, "borderTopWidth") == "2px"

    def colours() -> tuple[str, str]:
        knob = style(page, switch, "backgroundColor", "::before")
        return knob, style(page, switch, "backgroundColor")

    def knob_shows() -> bool:
        return len({*colours()}) == 2

    off = colours()
    assert knob_shows()
    page.click(switch)
    # Colours change by a transition.
    until(lambda: knob_shows() and colours()[1] != off[1], "another colour of the switch")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hover_differs_from_its_background(people, scheme):
    page = people.page("Nova", color_scheme=scheme)
    page.goto("/")
    assert min(page.evaluate(LUMINANCE)) > 1.2


def test_low_window_scrolls_to_every_control(person):
    page = person("Nova", "low", viewport={"width": 341, "height": 162})
    assert page.evaluate(OUT_OF_REACH, "#pre-call button, #controls button") == []
    page.click("#join-call")
    page.locator("#leave-call").wait_for(state="visible")
    assert page.evaluate(OUT_OF_REACH, "#controls button") == []


def test_keyboard_leaves_an_upright_phone_upright(person):
    page = person("Nova", "keyboard", **KEYBOARD, screen={"width": 390, "height": 844})
    assert style(page, "#controls", "flexDirection") == "row"
    page.set_viewport_size({"width": 844, "height": 390})
    until(lambda: style(page, "#controls", "flexDirection") == "column", "the phone on its side")


def test_phone_shows_pins_and_cuts_long_names_before_the_own_picture(person):
    nova = person("Nova", "pins", call=True, **PHONE)
    person("Maximiliane-Alexandra-Wilhelmine", "pins", call=True)
    shows_video(nova, 1)
    assert style(nova, "#peers .tile-pin", "opacity") == "1"
    assert style(nova, "#peers .tile-pin", "visibility") == "visible"

    def ends_before() -> bool:
        name = nova.locator("#peers .tile-name").bounding_box()
        own = nova.locator("#own-tile").bounding_box()
        return bool(name and own and name["x"] + name["width"] <= own["x"])

    until(ends_before, "the name beside one's own picture")


def test_toggle_names_say_what_a_press_does(person):
    page = person("Nova", "toggles")
    for button, (press, undo) in {
        "#pre-call-mic": ("Mute", "Unmute"),
        "#pre-call-camera": ("Stop video", "Start video"),
    }.items():
        for name in (press, undo):
            page.locator(button).and_(page.get_by_role("button", name=name, exact=True)).click()
    page.click("#join-call")
    for button, names in {
        "#mute": ("Mute", "Unmute"),
        "#camera": ("Stop video", "Start video"),
        "#share": ("Share", "Stop sharing"),
    }.items():
        for name in names:
            page.locator(button).and_(page.get_by_role("button", name=name, exact=True)).click()
    assert page.locator("#controls [aria-pressed]").count() == 0


def test_arrow_keys_move_along_the_controls_of_a_landmark(person):
    page = person("Nova", "toolbar", call=True)
    bar = page.get_by_role("contentinfo").get_by_role("toolbar")
    bar.get_by_role("button", name="Leave").focus()
    focused = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowLeft", "Home", "End"):
        page.keyboard.press(key)
        focused.append(
            page.evaluate("document.activeElement.id || document.activeElement.dataset.menu")
        )
    assert focused == ["mute", "sound-menu", "mute", "leave-call", "mute", "leave-call"]


def test_live_region_announces_events_of_the_page(person):
    nova = person("Nova", "live", **PHONE)
    nova.evaluate("""() => {
      window.said = [];
      new MutationObserver((records) => records.forEach(({ addedNodes }) =>
        addedNodes.forEach((node) => window.said.push(node.textContent)),
      )).observe(document.getElementById('live'), { childList: true });
    }""")

    def says(words: str) -> None:
        until(lambda: words in nova.evaluate("said"), words)

    mira = person("Mira", "live")
    says("Mira arrived")
    send(mira, "tea is ready")
    says("Mira: tea is ready")
    mira.click("#join-call")
    says("Mira joined the call")
    nova.click("#join-call")
    says("Unmuted")
    nova.click("#open-chat")
    assert nova.evaluate("document.getElementById('live').closest('[inert]')") is None
    send(mira, "seen in the log")
    nova.click("#mute")
    says("Muted")
    mira.click("#share")
    says("Mira is sharing the screen")
    mira.click("#leave-call")
    says("Mira left the call")
    nova.click("#side-close")
    nova.click("#copy-link")
    says("Copied")
    assert "seen in the log" in nova.evaluate("document.getElementById('messages').textContent")
    assert not [words for words in nova.evaluate("said") if "seen in the log" in words]


def send(page: Page, text: str) -> None:
    page.fill("form#msg [name=text]", text)
    page.press("form#msg [name=text]", "Enter")
