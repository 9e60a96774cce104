"""The chat as two people see it, through lost lines and restarts too."""

import pytest

from tests.support.waiting import until

MESSAGES = "#messages"
PARTICIPANTS = (
    "[...document.querySelectorAll('#people [data-participant]')]"
    ".map(person => person.dataset.participant)"
)
TEXTS = "[...document.querySelectorAll('#messages .message-text')].map(text => text.textContent)"


def say(page, text):
    page.fill("form#msg [name=text]", text)
    page.press("form#msg [name=text]", "Enter")


def texts(page):
    return page.evaluate(TEXTS)


def is_titled(page, title):
    until(lambda: page.inner_text("#room-title") == title, title)


def sees(page, *expected, seconds=10):
    until(lambda: texts(page) == list(expected), f"{expected} in the chat", seconds=seconds)


def test_message_shows_its_text_and_sender_to_both(people):
    nova, mira = people.enter("Nova", "talk"), people.enter("Mira", "talk")
    say(nova, "hello")
    sees(mira, "hello")
    sees(nova, "hello")
    assert "Nova" in mira.inner_text(MESSAGES)
    assert "You" in nova.inner_text(MESSAGES)


def test_page_shows_arrivals_departures_and_the_count(people):
    nova = people.enter("Nova", "doors")
    mira = people.enter("Mira", "doors")
    until(lambda: "Mira arrived" in nova.inner_text(MESSAGES), "the arrival")
    for page in (nova, mira):
        is_titled(page, "doors (2)")
    mira.goto("about:blank")
    until(lambda: "Mira left" in nova.inner_text(MESSAGES), "the departure", seconds=15)
    assert nova.inner_text("#room-title") == "doors (1)"


def test_nickname_can_be_changed_at_any_time(people):
    nova, mira = people.enter("Nova", "names"), people.enter("Mira", "names")
    nova.fill("form#nickname [name=nickname]", "Nova the Second")
    nova.press("form#nickname [name=nickname]", "Enter")
    say(nova, "it is still me")
    sees(mira, "it is still me")
    assert "Nova the Second" in mira.inner_text(MESSAGES)
    nova.reload()
    until(
        lambda: nova.input_value("form#nickname [name=nickname]") == "Nova the Second", "the name"
    )


def test_second_of_two_equal_nicknames_gets_a_number(people):
    people.enter("Nova", "twins")
    other = people.enter("Nova", "twins")
    until(lambda: other.input_value("form#nickname [name=nickname]") == "Nova (2)", "the number")


def test_page_shows_who_is_typing(people):
    nova, mira = people.enter("Nova", "pens"), people.enter("Mira", "pens")
    nova.locator("form#msg [name=text]").press_sequentially("h")
    until(lambda: "Nova" in mira.inner_text("#typing"), "the typing line")
    say(nova, "hi")
    until(lambda: mira.inner_text("#typing") == "", "the typing line gone")


def test_newcomer_sees_the_history(people):
    nova = people.enter("Nova", "later")
    for n in range(60):
        say(nova, f"message {n}")
    sees(nova, *(f"message {n}" for n in range(60)), seconds=30)
    mira = people.enter("Mira", "later")
    until(lambda: texts(mira)[-1:] == ["message 59"], "the newest message")
    mira.locator("#chat-scroll").evaluate("log => { log.scrollTop = 0 }")
    sees(mira, *(f"message {n}" for n in range(60)))


def test_unread_messages_are_counted_while_the_panel_is_closed(people):
    nova, mira = people.enter("Nova", "badge"), people.enter("Mira", "badge")
    nova.click("#open-chat")
    for text in ("one", "two"):
        say(mira, text)
    until(lambda: nova.inner_text("#unread") == "2", "two unread")
    nova.click("#open-chat")
    until(lambda: nova.locator("#unread").is_hidden(), "none unread")


def test_links_are_links_and_markup_is_text(people):
    nova, mira = people.enter("Nova", "links"), people.enter("Mira", "links")
    evil = "<img src=x onerror=alert(1)> javascript:alert(1) https://example.org/a?b=c."
    say(nova, evil)
    sees(mira, evil)
    links = mira.locator(f"{MESSAGES} a")
    assert links.count() == 1
    assert links.get_attribute("href") == "https://example.org/a?b=c"
    assert "noopener" in (links.get_attribute("rel") or "")
    assert mira.locator(f"{MESSAGES} img").count() == 0


@pytest.mark.parametrize("text", ["x" * 4_000, "שלום עולם", "👩‍👩‍👧 🇰🇷", "first\nsecond"])
def test_long_foreign_and_odd_texts_arrive_whole_and_stay_in_the_panel(people, text):
    nova, mira = people.enter("Nova", "odd"), people.enter("Mira", "odd")
    say(nova, text)
    until(lambda: text in texts(mira), "the text")
    wide = mira.evaluate(
        "(() => { const s = document.getElementById('chat-scroll');"
        " return s.scrollWidth > s.clientWidth; })()"
    )
    assert not wide


def test_message_written_while_disconnected_arrives_once(people):
    people.expected_errors.append("ERR_INTERNET_DISCONNECTED")
    nova, mira = people.enter("Nova", "offline"), people.enter("Mira", "offline")
    nova.context.set_offline(True)
    nova.evaluate("dispatchEvent(new Event('offline'))")
    say(nova, "into the void")
    nova.context.set_offline(False)
    sees(mira, "into the void", seconds=20)
    sees(nova, "into the void")


def test_restart_of_the_server_loses_and_doubles_nothing(people, noom):
    people.expected_errors += ["WebSocket", "ERR_CONNECTION_"]
    nova, mira = people.enter("Nova", "restart"), people.enter("Mira", "restart")
    say(nova, "before")
    sees(mira, "before")
    noom.kill()
    say(nova, "while it was away")
    until(lambda: nova.locator(".message[data-state=sending]").count() == 1, "a pending message")
    noom.start()
    for page in (nova, mira):
        sees(page, "before", "while it was away", seconds=30)
    say(mira, "after")
    for page in (nova, mira):
        sees(page, "before", "while it was away", "after")
        is_titled(page, "restart (2)")
    assert nova.locator(".message[data-state=sending]").count() == 0


def test_reloaded_page_is_the_same_participant(people):
    nova, mira = people.enter("Nova", "same"), people.enter("Mira", "same")
    mine = mira.evaluate(PARTICIPANTS)
    mira.reload()
    until(lambda: mira.inner_text("#room-title") == "same (2)", "the room again")
    again = nova.evaluate(PARTICIPANTS)
    assert again == mine
    assert "left" not in nova.inner_text(MESSAGES)
