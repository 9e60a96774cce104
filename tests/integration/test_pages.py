"""The pages as a browser without JavaScript, and a stranger's program, get them."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client as Visitor
from django.utils import timezone

from chat import tokens as identity
from chat.models import Room
from chat.names import keys


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(headers={"accept": "text/html"})


def room_data(page):
    found = re.search(r'<script id="room-data" type="application/json">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


def test_form_leads_into_the_room_that_was_named(visitor):
    answer = visitor.post("/", {"nickname": "Nova", "room": "안녕 방"})
    assert answer.status_code == 302
    assert answer["Location"] == "/rooms/%EC%95%88%EB%85%95-%EB%B0%A9/?nickname=Nova"
    page = visitor.get(answer["Location"]).content.decode()
    assert room_data(page)["name"] == "안녕 방"
    assert room_data(page)["nickname"] == "Nova"


def test_form_leads_in_without_cookies_too():
    visitor = Visitor(enforce_csrf_checks=True)
    form = {"nickname": "Nova", "room": "tea room"}
    assert visitor.post("/", form).status_code == 403
    answer = visitor.get("/", form | {"listed": "true"})
    assert answer["Location"] == "/rooms/tea-room/?nickname=Nova"
    unlisted = visitor.get("/", form | {"listed": "false"})["Location"]
    assert keys.is_unlisted(unlisted.split("/")[2])


@pytest.mark.parametrize(("language", "nickname"), [("en", "Anon"), ("ko", "익명")])
def test_who_gives_no_nickname_gets_one_in_the_language_of_the_page(visitor, language, nickname):
    answer = visitor.post("/", {"room": "tea"}, headers={"accept-language": language})
    assert room_data(visitor.get(answer["Location"]).content.decode())["nickname"] == nickname


def test_room_link_carries_a_name_that_the_key_cannot_hold(visitor):
    answer = visitor.post("/", {"room": "Team Meeting!"})
    page = visitor.get(answer["Location"]).content.decode()
    data = room_data(page)
    assert (data["key"], data["name"]) == ("team-meeting~21", "Team Meeting!")
    assert identity.verify(data["token"], key="team-meeting~21").room_name == "Team Meeting!"


def test_room_name_must_match_its_key(visitor):
    page = visitor.get("/rooms/team/?name=Bank").content.decode()
    assert room_data(page)["name"] == "team"


def test_room_page_reveals_nothing_of_the_room(visitor, transactional_db):
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


def test_unlisted_room_gets_a_random_key(visitor):
    first, second = (
        visitor.post("/", {"room": "Secret", "listed": "false"})["Location"] for _ in range(2)
    )
    assert first != second
    key = first.split("/")[2]
    assert re.fullmatch(r"secret~[a-z2-7]{16}", key)
    assert keys.is_unlisted(key)
    assert room_data(visitor.get(first).content.decode())["listed"] is False


@pytest.mark.parametrize("switch", [["false", "on"], ["on"]])
def test_listed_room_has_the_address_of_its_name(visitor, switch):
    answer = visitor.post("/", {"room": "open", "listed": switch})
    assert answer["Location"].startswith("/rooms/open/")


def test_operator_chooses_where_the_switch_stands(visitor, settings):
    checked = '<input type="checkbox" name="listed" checked>'
    assert checked in visitor.get("/").content.decode()
    settings.LIST_ROOMS = False
    assert checked not in visitor.get("/").content.decode()
    assert keys.is_unlisted(visitor.post("/", {"room": "team"})["Location"].split("/")[2])


def test_header_shows_whether_the_room_is_listed(visitor):
    hidden = visitor.get(f"/rooms/{keys.unlisted_key('team')}/").content.decode()
    shown = visitor.get("/rooms/team/").content.decode()
    words = [
        re.sub("<.*?>", "", re.findall(r'id="room-listed".*?>(.*)</p>', page)[0])
        for page in (hidden, shown)
    ]
    assert words == ["Only by link", "Listed"]


def test_name_with_nothing_to_see_is_refused_in_the_form(visitor):
    answer = visitor.post("/", {"nickname": "Nova", "room": " \u200b "})
    assert answer.status_code == 400
    assert "A room needs a name" in answer.content.decode()


def test_form_needs_its_csrf_token():
    strict = Visitor(enforce_csrf_checks=True)
    assert strict.post("/", {"room": "team"}).status_code == 403


@pytest.mark.parametrize("path", ["/x", "/rooms/", "/rooms", "/a/b/c/"])
def test_unknown_addresses_go_home(visitor, path):
    answer = visitor.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize("path", ["/api/x", "/static/x.js", "/x.php", "/ws/chat/x/"])
def test_probes_of_programs_get_404(visitor, path):
    assert visitor.get(path).status_code == 404


def test_program_that_wants_json_is_not_sent_home():
    assert Visitor(headers={"accept": "application/json"}).get("/x").status_code == 404


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        ("/rooms/team", "/rooms/team/"),
        ("/rooms/team?nickname=guest&call=1", "/rooms/team/?nickname=guest&call=1"),
        ("/rooms/v1.2?a=b", "/rooms/v1~2e~2/?a=b"),
        ("/rooms/%ED%8C%80", "/rooms/%ED%8C%80/"),
        ("/admin", "/admin/"),
        ("/admin?next=/x", "/admin/?next=/x"),
    ],
)
def test_address_without_its_last_slash_leads_on_with_its_query(visitor, typed, leads_to):
    assert visitor.get(typed)["Location"] == leads_to


@pytest.mark.parametrize(
    ("typed", "key", "name"),
    [
        ("/rooms/team", "team", "team"),
        ("/rooms/Team/", "team", "Team"),
        ("/rooms/Team", "team", "Team"),
        ("/rooms/My%20Big%20Room/", "my-big-room", "My Big Room"),
        ("/rooms/%20My%20%20Big%20Room%20", "my-big-room", "My Big Room"),
        ("/rooms/%E1%84%90%E1%85%B5%E1%86%B7/", "팀", "팀"),
        ("/rooms/C++/", "c~2b-2b", "C++"),
        ("/rooms/C%23", "c~23", "C#"),
        ("/rooms/c~2b-2b/", "c~2b-2b", "c++"),
        ("/rooms/C~2B-2B/", "c~2b-2b", "c++"),
        ("/rooms/50%25/", "50~25", "50%"),
        ("/rooms/Team%20%F0%9F%94%B4/", "team-~1f534", "Team 🔴"),
        ("/rooms/%EF%BC%B4%EF%BC%A5%EF%BC%A1%EF%BC%AD/", "team", "ＴＥＡＭ"),
        ("/rooms/test%EF%B8%8F/", "test", "test"),
        ("/rooms/te%CD%8Fst/", "test", "test"),
        ("/rooms/Geheim~ABCDEFGHIJKLMNOP/", "geheim~abcdefghijklmnop", "Geheim"),
    ],
)
def test_typed_address_opens_the_room_of_that_name(visitor, typed, key, name):
    answer = visitor.get(f"{typed}?nickname=guest&call=1&name=Other", follow=True)
    data = room_data(answer.content.decode())
    assert (data["key"], data["name"], data["nickname"]) == (key, name, "guest")
    assert data["join_call"] is True
    assert identity.verify(data["token"], key=key).room_name == name
    assert len(answer.redirect_chain) <= 1


@pytest.mark.parametrize(
    "typed", ["%E1%85%A0", "%E1%85%9F/", "%E3%85%A4", "%E2%A0%80/", "%20", "%CC%81/"]
)
def test_address_of_which_nothing_shows_leads_home(visitor, typed):
    assert visitor.get(f"/rooms/{typed}")["Location"] == "/"


@pytest.mark.parametrize(
    "room", ["\u1160", "\u115f", "\u3164", "\u2800", "\u00ad", "\u17b4", "\u0301"]
)
def test_room_of_invisible_characters_is_refused_in_the_form(visitor, room):
    answer = visitor.post("/", {"room": room})
    assert answer.status_code == 400
    assert "A room needs a name" in answer.content.decode()


def test_room_from_before_signs_counted_is_found_by_name_and_address(visitor):
    Room.objects.create(key="c", name="C++")
    Room.objects.create(key="x-bb7208bc9b", name="!")
    assert visitor.post("/", {"room": "c++"})["Location"].startswith("/rooms/c/?")
    assert visitor.post("/", {"room": "!"})["Location"].startswith("/rooms/x-bb7208bc9b/?")
    assert visitor.get("/rooms/C++")["Location"].startswith("/rooms/c/?")
    assert visitor.post("/", {"room": "C#"})["Location"].startswith("/rooms/c~23/?")
    assert room_data(visitor.get("/rooms/c/").content.decode())["key"] == "c"
    Room.objects.create(key="c~2b-2b", name="C++")
    assert visitor.post("/", {"room": "c++"})["Location"].startswith("/rooms/c~2b-2b/?")


def test_each_page_load_is_a_new_participant_of_one_browser(visitor):
    tokens = [room_data(visitor.get("/rooms/team/").content.decode())["token"] for _ in range(2)]
    first, second = (identity.verify(token, key="team") for token in tokens)
    assert first.participant != second.participant
    assert first.browser == second.browser
    assert visitor.cookies["noom_browser"]["httponly"]


def test_forged_browser_cookie_makes_no_host(visitor):
    visitor.cookies["noom_browser"] = "somebody:1:forged"
    data = room_data(visitor.get("/rooms/team/").content.decode())
    assert identity.verify(data["token"], key="team").browser != "somebody"


def test_nickname_or_a_room_cannot_break_out_of_the_page(visitor):
    evil = "</script><script>alert(1)</script>"
    page = visitor.get("/rooms/team/", {"nickname": evil}).content.decode()
    assert "<script>alert" not in page
    assert room_data(page)["nickname"] == evil[:32].strip()


@pytest.mark.parametrize("path", ["/", "/rooms/team/", "/x", "/static/x.js", "/admin/login/"])
def test_every_answer_carries_the_security_headers(visitor, path):
    headers = visitor.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_request_nothing_from_third_parties(visitor):
    for path in ("/", "/rooms/team/"):
        assert not re.search(r'(src|href)="(https?:)?//', visitor.get(path).content.decode())


def test_korean_browser_gets_a_korean_page(visitor):
    answer = visitor.get("/rooms/team/", headers={"accept-language": "ko-KR,ko;q=0.9"})
    page = answer.content.decode()
    assert '<html lang="ko"' in page
    assert "통화 참여" in page


def meta(page: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', page))


def test_pasted_link_to_a_room_shows_its_name(visitor):
    page = meta(visitor.get("/rooms/c~2b-2b/?name=C%2B%2B").content.decode())
    assert page["og:title"] == "C++"
    assert page["og:description"] == page["description"] != ""
    assert page["og:image"].startswith("http://testserver/static/icon-512")


def test_start_page_is_indexed_and_no_room_is(visitor):
    start, room = visitor.get("/"), visitor.get("/rooms/team/")
    assert meta(start.content.decode())["og:title"] == "Noom"
    assert "robots" not in meta(start.content.decode())
    assert "X-Robots-Tag" not in start.headers
    assert meta(room.content.decode())["robots"] == room.headers["X-Robots-Tag"]
    assert "noindex" in room.headers["X-Robots-Tag"]


def test_manifest_names_icons_that_exist():
    manifest = json.loads(finders_text("noom.webmanifest"))
    found = [finders.find(icon["src"].removeprefix("/static/")) for icon in manifest["icons"]]
    assert len(found) == 3
    assert all(found)


def finders_text(name: str) -> str:
    path = finders.find(name)
    assert path
    return Path(str(path)).read_text()


@pytest.mark.parametrize("path", ["/", "/rooms/team/?nickname=Nova&call=1"])
def test_chosen_language_wins_over_the_browsers(visitor, path):
    page = visitor.get(path).content.decode()
    back = unescape(re.findall(r'name="next" value="([^"]+)"', page)[0])
    answer = visitor.post("/language/", {"language": "ko", "next": back})
    assert answer["Location"] == path
    cookie = answer.cookies["django_language"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    page = visitor.get(path, headers={"accept-language": "en"}).content.decode()
    assert '<html lang="ko"' in page
    assert 'lang="ko" aria-current="true">한국어' in page


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_language_switch_leads_to_no_other_site(visitor, elsewhere):
    answer = visitor.post("/language/", {"language": "ko", "next": elsewhere})
    assert answer["Location"] == "/"


def test_language_switch_needs_its_csrf_token():
    strict = Visitor(enforce_csrf_checks=True)
    assert strict.post("/language/", {"language": "ko"}).status_code == 403
    assert strict.get("/language/").status_code == 405


def test_unknown_language_changes_nothing(visitor):
    assert "django_language" not in visitor.post("/language/", {"language": "xx"}).cookies


def test_icon_is_at_the_address_that_browsers_request(visitor):
    assert visitor.get("/favicon.ico")["Location"] == "/static/favicon.svg"


def test_pages_refuse_other_methods(visitor):
    assert visitor.put("/").status_code == 405
    assert visitor.post("/rooms/team/").status_code == 405


def test_staff_see_rooms_and_messages_in_the_admin(admin_client, transactional_db):
    Room.objects.create(key="team", name="TEAM")
    assert "TEAM" in admin_client.get("/admin/chat/room/").content.decode()
    assert admin_client.get("/admin/chat/message/").status_code == 200


def test_admin_is_for_staff(visitor, django_user_model):
    guest = django_user_model.objects.create_user("guest", password="x")
    visitor.force_login(guest)
    assert visitor.get("/admin/chat/room/").status_code == 302
