"""A link to a room may open it, under a name; it may not switch a device on."""

from tests.support.waiting import until, until_page

COUNT_OPENED = """
window.opened = 0;
for (const name of ['getUserMedia', 'getDisplayMedia']) {
  const open = MediaDevices.prototype[name];
  MediaDevices.prototype[name] = function (...wanted) {
    window.opened += 1;
    return open.apply(this, wanted);
  };
}"""


def test_link_opens_no_device_and_offers_the_call(people):
    page = people.page("Nova")
    page.add_init_script(COUNT_OPENED)
    page.goto("/rooms/link/?nickname=Nova&call=1", wait_until="domcontentloaded")
    until(lambda: "Connected" in page.inner_text("#connection"), "the room")
    assert page.evaluate("document.activeElement.id") == "join-call"
    assert page.evaluate("opened") == 0
    assert page.locator("#leave-call").is_hidden()

    page.keyboard.press("Enter")
    page.locator("#leave-call").wait_for(state="visible")
    until_page(page, "opened > 0", what="a device, once the person has said so")
