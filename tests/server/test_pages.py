"""The pages as a browser without JavaScript, and a stranger's program, get them."""

import json
import re

import pytest
from django.test import Client as Visitor
from django.utils import timezone

from chat import identity, names
from chat.models import Room


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(headers={"accept": "text/html"})


def room_data(page):
    found = re.search(r'<script id="room-data" type="application/json">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


def test_the_form_leads_into_the_room_that_was_named(visitor):
    answer = visitor.post("/", {"nickname": "Nova", "room": "안녕 방"})
    assert answer.status_code == 302
    assert answer["Location"] == "/rooms/%EC%95%88%EB%85%95-%EB%B0%A9/?nickname=Nova"
    page = visitor.get(answer["Location"]).content.decode()
    assert room_data(page)["name"] == "안녕 방"
    assert room_data(page)["nickname"] == "Nova"


def test_a_name_that_its_address_cannot_hold_goes_with_it(visitor):
    answer = visitor.post("/", {"room": "Team Meeting!"})
    page = visitor.get(answer["Location"]).content.decode()
    data = room_data(page)
    assert (data["key"], data["name"]) == ("team-meeting", "Team Meeting!")
    assert identity.read(data["token"], key="team-meeting").room_name == "Team Meeting!"


def test_nobody_can_give_a_room_a_name_that_its_address_does_not_say(visitor):
    page = visitor.get("/rooms/team/?name=Bank").content.decode()
    assert room_data(page)["name"] == "team"


def test_a_rooms_page_tells_nothing_of_the_room(visitor, transactional_db):
    def page():
        found = room_data(visitor.get("/rooms/team/").content.decode())
        return {name: value for name, value in found.items() if name not in ("token", "reference")}

    absent = page()
    room = Room.objects.create(key="team", name="TEAM", capacity=3)
    assert page() == absent
    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())
    assert page() == absent


def test_looking_at_a_rooms_page_makes_no_room(visitor, transactional_db):
    visitor.get("/rooms/team/")
    assert not Room.objects.exists()


def test_an_unlisted_room_gets_an_address_that_nobody_can_guess(visitor):
    first, second = (
        visitor.post("/", {"room": "Secret", "unlisted": "on"})["Location"] for _ in range(2)
    )
    assert first != second
    key = first.split("/")[2]
    assert re.fullmatch(r"secret~[a-z2-7]{16}", key)
    assert names.is_unlisted(key)
    assert room_data(visitor.get(first).content.decode())["listed"] is False


def test_a_name_with_nothing_to_see_is_refused_in_the_form(visitor):
    answer = visitor.post("/", {"nickname": "Nova", "room": " \u200b "})
    assert answer.status_code == 400
    assert "A room needs a name" in answer.content.decode()


def test_the_form_needs_its_csrf_token():
    strict = Visitor(enforce_csrf_checks=True)
    assert strict.post("/", {"room": "team"}).status_code == 403


@pytest.mark.parametrize("path", ["/x", "/rooms/", "/rooms", "/a/b/c/"])
def test_unknown_addresses_go_home(visitor, path):
    answer = visitor.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize("path", ["/api/x", "/static/x.js", "/x.php", "/ws/chat/x/"])
def test_what_programs_ask_for_in_vain_is_not_found(visitor, path):
    assert visitor.get(path).status_code == 404


def test_a_program_that_wants_json_is_not_sent_home():
    assert Visitor(headers={"accept": "application/json"}).get("/x").status_code == 404


def test_an_address_as_one_would_write_it_leads_to_the_room(visitor):
    answer = visitor.get("/rooms/Team Meeting/")
    assert answer["Location"] == "/rooms/team-meeting/"


def test_each_page_load_is_a_participant_of_its_own_at_the_same_browser(visitor):
    tokens = [room_data(visitor.get("/rooms/team/").content.decode())["token"] for _ in range(2)]
    first, second = (identity.read(token, key="team") for token in tokens)
    assert first.participant != second.participant
    assert first.browser == second.browser
    assert visitor.cookies["noom_browser"]["httponly"]


def test_a_forged_browser_cookie_makes_no_host(visitor):
    visitor.cookies["noom_browser"] = "somebody:1:forged"
    data = room_data(visitor.get("/rooms/team/").content.decode())
    assert identity.read(data["token"], key="team").browser != "somebody"


def test_a_nickname_or_a_room_cannot_break_out_of_the_page(visitor):
    evil = "</script><script>alert(1)</script>"
    page = visitor.get("/rooms/team/", {"nickname": evil}).content.decode()
    assert "<script>alert" not in page
    assert room_data(page)["nickname"] == evil[:32].strip()


@pytest.mark.parametrize("path", ["/", "/rooms/team/", "/x", "/static/x.js", "/admin/login/"])
def test_every_answer_carries_the_doors_headers(visitor, path):
    headers = visitor.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_no_page_asks_a_third_party_for_anything(visitor):
    for path in ("/", "/rooms/team/"):
        assert not re.search(r'(src|href)="(https?:)?//', visitor.get(path).content.decode())


def test_a_korean_browser_gets_a_korean_page(visitor):
    answer = visitor.get("/rooms/team/", headers={"accept-language": "ko-KR,ko;q=0.9"})
    page = answer.content.decode()
    assert '<html lang="ko"' in page
    assert "통화 참여" in page


def test_the_icon_is_found_where_browsers_look_for_it(visitor):
    assert visitor.get("/favicon.ico")["Location"] == "/static/favicon.svg"


def test_pages_answer_only_what_they_are_for(visitor):
    assert visitor.put("/").status_code == 405
    assert visitor.post("/rooms/team/").status_code == 405


def test_staff_see_rooms_and_messages_in_the_admin(admin_client, transactional_db):
    Room.objects.create(key="team", name="TEAM")
    assert "TEAM" in admin_client.get("/admin/chat/room/").content.decode()
    assert admin_client.get("/admin/chat/message/").status_code == 200


def test_the_admin_is_for_staff(visitor, django_user_model):
    guest = django_user_model.objects.create_user("guest", password="x")
    visitor.force_login(guest)
    assert visitor.get("/admin/chat/room/").status_code == 302
