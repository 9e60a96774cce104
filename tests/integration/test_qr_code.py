"""The QR code of a room: it holds the room's own address, and tells nothing else."""

import pytest
from django.test import Client as Visitor

from chat.names import keys
from chat.services import qr_code


@pytest.mark.parametrize(("path", "key"), [("team", "team"), ("%ED%8C%80", "팀")])
def test_qr_code_holds_the_address_of_its_room(path, key):
    answer = Visitor().get(f"/rooms/{path}/qr.svg?nickname=Nova")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.content == qr_code.svg(f"http://testserver/rooms/{path}/")
    assert answer.content != qr_code.svg(f"http://testserver/rooms/{path}x/")


def test_longest_address_fits_into_a_qr_code():
    key = keys.unlisted_key("팀" * 60)
    assert Visitor().get(f"/rooms/{key}/qr.svg").status_code == 200


def test_invalid_key_is_refused():
    assert Visitor().get("/rooms/Not%20a%20key/qr.svg").status_code == 404


def test_room_page_shows_its_qr_code():
    assert 'src="/rooms/team/qr.svg"' in Visitor().get("/rooms/team/").content.decode()
