"""The welcome page in a browser: into a room, and the list of open ones, live."""

from tests.support.waiting import until, until_page


def test_person_types_two_names_and_is_in_the_room(people):
    page = people.page("Nova")
    page.goto("/")
    page.fill("#welcome [name=nickname]", "Nova")
    page.fill("#welcome [name=room]", "안녕 방")
    page.press("#welcome [name=room]", "Enter")
    until(lambda: page.inner_text("#room-title") == "안녕 방 (1)", "the room's title")
    assert page.url.endswith("/rooms/%EC%95%88%EB%85%95-%EB%B0%A9/")
    assert page.input_value("form#nickname [name=nickname]") == "Nova"


def test_nickname_is_remembered(people):
    page = people.page("Nova")
    page.goto("/")
    page.fill("#welcome [name=nickname]", "Nova")
    page.fill("#welcome [name=room]", "remembered")
    page.press("#welcome [name=room]", "Enter")
    page.wait_for_url("**/rooms/remembered/")
    page.goto("/")
    assert page.input_value("#welcome [name=nickname]") == "Nova"


def test_room_list_follows_open_rooms_and_their_people(people):
    watcher = people.page("Watcher")
    watcher.goto("/")
    row = "#rooms [data-room='live']"
    nova = people.enter("Nova", "live")
    until(lambda: watcher.locator(row).count() == 1, "the room in the list")
    people.enter("Mira", "live", call=True)
    until(lambda: "2" in watcher.inner_text(row), "two people")
    watcher.click(f"{row} a")
    watcher.fill("#ask-name-input", "Watcher")
    watcher.press("#ask-name-input", "Enter")
    until(lambda: nova.inner_text("#room-title") == "live (3)", "the watcher in the room")


def test_room_leaves_the_list_with_its_last_participant(people):
    watcher = people.page("Watcher")
    watcher.goto("/")
    nova = people.enter("Nova", "brief")
    row = watcher.locator("#rooms [data-room='brief']")
    until(lambda: row.count() == 1, "the room in the list")
    nova.goto("about:blank")
    until(lambda: row.count() == 0, "the empty room gone", seconds=15)


def test_unlisted_room_opens_only_by_its_link(people):
    watcher, nova = people.page("Watcher"), people.page("Nova")
    watcher.goto("/")
    nova.goto("/")
    nova.fill("#welcome [name=room]", "hidden")
    nova.uncheck("#welcome [name=listed][type=checkbox]")
    nova.press("#welcome [name=room]", "Enter")
    until(lambda: nova.inner_text("#room-title") == "hidden (1)", "the room's title")
    watcher.reload()
    assert nova.inner_text("#room-listed") == "Only by link"
    assert watcher.locator("#rooms [data-room]").filter(has_text="hidden").count() == 0
    watcher.goto(nova.url)
    watcher.fill("#ask-name-input", "Watcher")
    watcher.press("#ask-name-input", "Enter")
    until(lambda: nova.inner_text("#room-title") == "hidden (2)", "the second person")


def test_room_field_shows_who_is_in_the_room(people):
    people.enter("Nova", "Company")
    page = people.page("Reader")
    page.goto("/")
    said = page.locator("#room-people")
    page.fill("#welcome [name=room]", " company")
    until(lambda: said.inner_text() == "1 person is in this room", "how many are in the room")
    people.enter("Mira", "Company")
    until(lambda: said.inner_text() == "2 people are in this room", "the second person")
    page.fill("#welcome [name=room]", "-company-")
    until(lambda: said.inner_text() == "2 people are in this room", "the room of this address")
    page.fill("#welcome [name=room]", "company of mine")
    until(lambda: said.inner_text() == "", "nothing of a room that is not open")
    page.fill("#welcome [name=room]", "Company")
    page.uncheck("#welcome [name=listed][type=checkbox]")
    until(lambda: said.inner_text() == "", "nothing where a new room would be made")


def test_room_field_counts_people_of_rooms_beyond_the_list(people):
    people.enter("Nova", "Beyond the list")
    page = people.page("Reader")
    page.goto("/?q=another")
    said = page.locator("#room-people")
    assert page.locator("#rooms [data-room]").count() == 0
    page.fill("#welcome [name=room]", "beyond the list")
    until(lambda: said.inner_text() == "1 person is in this room", "how many are in the room")
    page.fill("#welcome [name=room]", "beyond")
    until(lambda: said.inner_text() == "", "nothing of a room that is not open")


def test_room_link_shows_who_is_in_the_room(people):
    nova = people.page("Nova")
    nova.goto("/")
    nova.fill("#welcome [name=nickname]", "Nova")
    nova.fill("#welcome [name=room]", "by link")
    nova.uncheck("#welcome [name=listed][type=checkbox]")
    nova.press("#welcome [name=room]", "Enter")
    until(lambda: nova.inner_text("#room-title") == "by link (1)", "Nova in the room")
    page = people.page("Reader")
    page.goto(nova.url)
    words = page.locator("#ask-name-people")
    until(lambda: words.inner_text() == "1 person is in this room", "how many are in the room")
    assert nova.inner_text("#room-title") == "by link (1)"


def test_list_and_form_work_without_javascript(people):
    people.enter("Nova", "plain")
    page = people.page("Reader", java_script_enabled=False)
    page.goto("/")
    assert page.get_attribute("#rooms [data-room='plain'] a", "href") == "/rooms/plain/"
    page.fill("#welcome [name=room]", "other room")
    page.press("#welcome [name=room]", "Enter")
    page.wait_for_url("**/rooms/other-room/**")


def test_language_is_chosen_without_javascript(people):
    page = people.page("Reader", java_script_enabled=False)
    page.goto("/")
    page.get_by_role("button", name="한국어").click()
    until(lambda: page.get_attribute("html", "lang") == "ko", "the page in Korean")
    page.get_by_role("button", name="English").click()
    until(lambda: page.get_attribute("html", "lang") == "en", "the page in English")


def test_address_that_leads_nowhere_leads_home(people):
    page = people.page("Lost")
    page.goto("/no/such/place")
    until_page(page, "location.pathname === '/'")
