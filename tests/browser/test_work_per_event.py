"""The cost of an event in a page: one outside the call leaves the call alone, and
only what has changed is drawn."""

from playwright.sync_api import Page

from tests.support.browsers.media_checks import shows_video
from tests.support.waiting import until, until_page

TEXT = "form#msg [name=text]"
ROUNDS = 8
COUNT_PARAMETERS = """
window.applied = 0;
const { setParameters } = RTCRtpSender.prototype;
RTCRtpSender.prototype.setParameters = function (...parameters) {
  window.applied += 1;
  return setParameters.apply(this, parameters);
};"""
WATCH_TILES = """
window.drawn = 0;
new MutationObserver((records) => { window.drawn += records.length; })
  .observe(document.getElementById('tiles'), { subtree: true, childList: true, attributes: true,
    characterData: true, attributeFilter: ['data-camera', 'hidden', 'aria-label', 'style'] });"""
WATCH_ROWS = """
window.touched = 0;
const rows = new Set(document.querySelectorAll('#messages > li'));
new MutationObserver((records) => {
  for (const { target } of records) {
    if ([...rows].some((row) => row.contains(target))) window.touched += 1;
  }
}).observe(document.getElementById('messages'), { subtree: true, childList: true,
  attributes: true, characterData: true });"""


def say(page: Page, text: str) -> None:
    page.fill(TEXT, text)
    page.press(TEXT, "Enter")


def test_chat_in_a_call_touches_neither_senders_nor_tiles(people):
    nova = people.page("Nova")
    nova.add_init_script(COUNT_PARAMETERS)
    nova.goto("/rooms/work/?nickname=Nova", wait_until="domcontentloaded")
    nova.click("#join-call")
    mira = people.enter("Mira", "work", call=True)
    shows_video(nova, 1)
    shows_video(mira, 1)
    assert nova.evaluate("applied") > 0, "nothing was ever limited: the count looks away"
    # The last limits follow the last answer.
    until(lambda: steady(nova), "no more limits", seconds=30)
    nova.evaluate(WATCH_TILES)
    # A picture that stops on a busy machine changes its tile, but not beside every message.
    work = [work_of_a_message(nova, mira, f"message {number}") for number in range(ROUNDS)]
    assert (0, 0) in work


def work_of_a_message(reader: Page, sender: Page, text: str) -> tuple[int, int]:
    """Limits set and tiles drawn at the reader, while the sender types and sends a message."""
    before = reader.evaluate("[applied, drawn]")
    sender.type(TEXT, "typing first, ")
    say(sender, text)
    until(lambda: text in reader.inner_text("#messages"), text)
    after = reader.evaluate("[applied, drawn]")
    return after[0] - before[0], after[1] - before[1]


def steady(page: Page) -> bool:
    before = page.evaluate("applied")
    page.wait_for_timeout(1_500)
    return bool(page.evaluate("applied") == before)


def test_message_draws_only_its_own_row(people):
    nova, mira = (people.enter(name, "rows") for name in ("Nova", "Mira"))
    for number in range(12):
        say(mira, f"old {number}")
    until(lambda: "old 11" in nova.inner_text("#messages"), "the old ones")
    nova.evaluate(WATCH_ROWS)
    say(mira, "new")
    until(lambda: "new" in nova.inner_text("#messages"), "the new one")
    assert nova.evaluate("touched") == 0


def test_page_keeps_a_window_of_messages_and_fetches_the_rest(people):
    nova = people.enter("Nova", "window")
    rows = "document.querySelectorAll('#messages .message').length"
    nova.evaluate(
        f"""async () => {{
          const input = document.querySelector('{TEXT}');
          for (let number = 1; number <= 480; number += 1) {{
            input.value = `said ${{number}}`;
            input.form.requestSubmit();
          }}
        }}"""
    )
    until_page(
        nova, "document.getElementById('messages').innerText.includes('said 480')", seconds=120
    )
    sending = "document.querySelector('#messages [data-state=sending]')"
    until_page(nova, f"!{sending} && {rows} <= 400", seconds=120)

    def all_back() -> bool:
        # A reader of old messages is at the top, and stays there.
        nova.evaluate("document.getElementById('chat-scroll').scrollTop = 0")
        return bool(nova.evaluate(f"{rows} === 480"))

    until(all_back, "every message fetched again", seconds=60)
    seen = nova.evaluate(
        "[...document.querySelectorAll('#messages .message-text')].map((one) => one.textContent)"
    )
    assert seen == [f"said {number}" for number in range(1, 481)]
