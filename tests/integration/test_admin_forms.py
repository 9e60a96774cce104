"""The admin's forms write what was changed in them, and its questions are brief."""

import re
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import AsyncClient
from django.utils import timezone

from chat.admin.accounts import OwnPasswordForm, PasswordForm
from chat.models import Ban, Message, Room
from chat.protocol import close_codes
from tests.integration.test_deletions import fill
from tests.support.clients.admin_client import fields_of

ROOMS, MESSAGES = "/admin/chat/room/", "/admin/chat/message/"


@pytest.fixture
async def admin():
    user = await User.objects.acreate_superuser("root", password="x")
    browser = AsyncClient()
    await browser.aforce_login(user)
    return browser


async def form(browser: AsyncClient, path: str) -> dict[str, str]:
    """The fields of a form, as its page was drawn."""
    return fields_of((await browser.get(path)).content.decode())


async def test_saved_form_writes_only_changed_fields(admin):
    room = await Room.objects.acreate(key="room", name="Room")
    path = f"{ROOMS}{room.pk}/change/"
    fields = await form(admin, path)
    assert {"name", "initial-name", "listed"} <= fields.keys()
    now = timezone.now()
    await Room.objects.aupdate(last_seq=65, closed_at=now, listed=False)
    answer = await admin.post(path, fields | {"name": "Renamed"})
    assert answer.status_code == 302
    await room.arefresh_from_db()
    assert (room.name, room.last_seq, room.closed_at, room.listed) == ("Renamed", 65, now, False)


async def test_form_without_a_change_writes_nothing(admin):
    room = await Room.objects.acreate(key="room", name="Room")
    path = f"{ROOMS}{room.pk}/change/"
    fields = await form(admin, path)
    await Room.objects.aupdate(name="Meanwhile", capacity=5)
    assert (await admin.post(path, fields)).status_code == 302
    await room.arefresh_from_db()
    assert (room.name, room.capacity) == ("Meanwhile", 5)


async def test_account_keeps_fields_that_its_form_did_not_change(admin):
    user = await User.objects.acreate_user("someone", password="x", first_name="Ada")
    path = f"/admin/auth/user/{user.pk}/change/"
    fields = await form(admin, path)
    now = timezone.now()
    await User.objects.filter(pk=user.pk).aupdate(is_active=False, last_login=now, password="new")
    assert (await admin.post(path, fields | {"first_name": "Eve"})).status_code == 302
    await user.arefresh_from_db()
    assert (user.first_name, user.is_active, user.password) == ("Eve", False, "new")
    assert user.last_login == now


@pytest.mark.parametrize("form_class", [PasswordForm, OwnPasswordForm])
async def test_new_password_is_all_that_its_form_writes(form_class):
    user = await User.objects.acreate_user("someone", password="Brillig-7")
    fields = {"old_password": "Brillig-7", "usable_password": "true"}
    fields |= dict.fromkeys(("password1", "password2"), "Slithy-77")
    fields |= dict.fromkeys(("new_password1", "new_password2"), "Slithy-77")
    form = form_class(user, fields)
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)
    assert form.is_valid(), form.errors
    await sync_to_async(form.save)()
    await user.arefresh_from_db()
    assert user.check_password("Slithy-77")
    assert not user.is_active


async def test_pages_of_a_password_use_these_forms(admin):
    user = await User.objects.aget()
    for path, form_class in (
        ("/admin/password_change/", OwnPasswordForm),
        (f"/admin/auth/user/{user.pk}/password/", PasswordForm),
    ):
        answer = await admin.get(path)
        assert isinstance(answer.context["form"], form_class)
        assert "site_header" in answer.context
    fields = dict.fromkeys(("new_password1", "new_password2"), "Slithy-77") | {"old_password": "x"}
    answer = await admin.post("/admin/password_change/", fields)
    assert answer.status_code == 302
    assert (await User.objects.aget()).check_password("Slithy-77")


async def test_form_of_a_room_that_was_deleted_meanwhile_is_no_error(admin):
    room = await Room.objects.acreate(key="room", name="Room")
    path = f"{ROOMS}{room.pk}/change/"
    fields = await form(admin, path)
    await Room.objects.aupdate(deleted_at=timezone.now())
    assert (await admin.post(path, fields | {"name": "Late"})).status_code == 302
    await room.arefresh_from_db()
    assert room.name == "Room"


async def test_groups_and_new_accounts_are_still_saved(admin):
    permission = await Permission.objects.aget(codename="view_room")
    new = {"name": "lookers", "permissions": [permission.pk]}
    await admin.post("/admin/auth/group/add/", new)
    group = await Group.objects.aget()
    assert [p.codename async for p in group.permissions.all()] == ["view_room"]
    words = "a-long-passphrase"
    account = {"username": "new", "password1": words, "password2": words, "usable_password": "true"}
    await admin.post("/admin/auth/user/add/", account)
    assert (await User.objects.aget(username="new")).has_usable_password()


@pytest.mark.parametrize("way", ["page", "list"])
async def test_deleted_room_sends_its_people_out_at_once(enter, admin, way):
    nova = await enter("Nova")
    await nova.post("something")
    room = await Room.objects.aget()
    chosen = {"action": "delete_selected", "_selected_action": [room.pk], "post": "yes"}
    if way == "page":
        await admin.post(f"{ROOMS}{room.pk}/delete/", {"post": "yes"})
    else:
        await admin.post(ROOMS, chosen)
    assert await nova.closing() == close_codes.ROOM_CLOSED
    assert not await Room.objects.aexists()
    assert not await Message.objects.aexists()


@pytest.mark.parametrize("way", ["page", "list"])
async def test_message_deleted_in_the_admin_disappears_from_pages(enter, admin, way):
    nova = await enter("Nova")
    for text in ("kept", "gone"):
        await nova.post(text)
    message = await Message.objects.aget(text="gone")
    chosen = {"action": "delete_selected", "_selected_action": [message.pk], "post": "yes"}
    if way == "page":
        await admin.post(f"{MESSAGES}{message.pk}/delete/", {"post": "yes"})
    else:
        await admin.post(MESSAGES, chosen)
    assert (await nova.event("deleted"))["spans"] == [{"first": 2, "last": 2}]
    assert [m.text async for m in Message.objects.all()] == ["kept"]


async def test_question_before_a_deletion_names_no_message(admin):
    room = await fill("long", 3_000)
    await Ban.objects.acreate(room=room, browser="x", nickname="Away")
    page = (await admin.get(f"{ROOMS}{room.pk}/delete/")).content.decode()
    assert "Messages: 3000" in page.replace("messages", "Messages")
    assert len(page) < 20_000
    chosen = {"action": "delete_selected", "_selected_action": [room.pk]}
    page = (await admin.post(ROOMS, chosen)).content.decode()
    assert len(page) < 20_000


async def test_question_names_a_bounded_number_of_rooms(admin):
    rooms = [Room(key=f"room-{n}", name=f"Room {n}") for n in range(60)]
    await Room.objects.abulk_create(rooms)
    pks = [pk async for pk in Room.objects.values_list("pk", flat=True)]
    chosen = {"action": "delete_selected", "_selected_action": pks}
    page = (await admin.post(ROOMS, chosen)).content.decode()
    assert page.count("<li>Room ") == 20
    assert "40 more" in page


async def test_messages_need_their_own_permission(enter):
    nova = await enter("Nova")
    await nova.post("kept")
    user = await User.objects.acreate_user("someone", password="x", is_staff=True)
    permission = await Permission.objects.aget(codename="delete_room")
    await user.user_permissions.aset([permission])
    browser = AsyncClient()
    await browser.aforce_login(user)
    room = await Room.objects.aget()
    await browser.post(f"{ROOMS}{room.pk}/delete/", {"post": "yes"})
    assert (await nova.post("still here"))["seq"] == 2


async def across(browser: AsyncClient, path: str) -> dict[str, str]:
    """The form of the question about all that a list holds, of which it shows a hundred."""
    listed = (await browser.get(path)).content.decode()
    shown = re.findall(r'name="_selected_action" value="([0-9]+)"', listed)
    chosen = {"action": "delete_selected", "select_across": "1", "_selected_action": shown}
    page = (await browser.post(path, chosen)).content.decode()
    fields = re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', page)
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


async def test_deleting_a_persons_messages_logs_none_of_their_text(admin, enter):
    nova = await enter("Nova")
    await nova.post("mine")
    theirs = await fill("elsewhere", 1_200)
    path = f"{MESSAGES}?q=Away"
    fields = await across(admin, path)
    assert len(fields) < 10
    await Message.objects.acreate(
        room=theirs,
        seq=5_000,
        participant="x" * 12,
        nickname="Away",
        text="said after the question",
        sent_at=timezone.now(),
        client_id=uuid.uuid4(),
    )
    assert (await admin.post(path, fields)).status_code == 302
    left = [message.text async for message in Message.objects.order_by("pk")]
    assert left == ["mine", "said after the question"]
    (entry,) = [entry async for entry in LogEntry.objects.all()]
    assert entry.object_repr.startswith("1200 ")
    assert "said" not in entry.object_repr


async def test_deleting_one_message_logs_none_of_its_text(admin, enter):
    await (await enter("Nova")).post("between us")
    message = await Message.objects.aget()
    path = f"{MESSAGES}{message.pk}/delete/"
    assert (await admin.post(path, {"post": "yes"})).status_code == 302
    assert not await Message.objects.aexists()
    (entry,) = [entry async for entry in LogEntry.objects.all()]
    assert "between us" not in entry.object_repr


async def test_more_rooms_than_a_form_may_have_fields_are_deleted_at_once(admin, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 150
    await Room.objects.abulk_create(Room(key=f"r-{n}", name="R") for n in range(200))
    fields = await across(admin, ROOMS)
    answer = await admin.post(ROOMS, fields)
    assert answer.status_code == 302
    assert await Room.objects.filter(deleted_at=None).acount() == 0


async def test_room_capacity_of_zero_is_refused(admin):
    room = await Room.objects.acreate(key="room", name="Room")
    path = f"{ROOMS}{room.pk}/change/"
    fields = await form(admin, path)
    answer = await admin.post(path, fields | {"capacity": "0"})
    assert answer.status_code == 200
    assert "Nobody could enter." in answer.content.decode()
    assert (await admin.post(path, fields | {"capacity": "1"})).status_code == 302
    await room.arefresh_from_db()
    assert room.capacity == 1


@pytest.mark.parametrize("name", ["\u3164", "\u2800", "\u200b", "\u0301"])
async def test_room_gets_no_invisible_name(admin, name):
    room = await Room.objects.acreate(key="room", name="Room")
    path = f"{ROOMS}{room.pk}/change/"
    fields = await form(admin, path)
    answer = await admin.post(path, fields | {"name": name})
    assert "A room needs a name that can be seen." in answer.content.decode()
    assert (await admin.post(path, fields | {"name": "a\u200b  b"})).status_code == 302
    await room.arefresh_from_db()
    assert room.name == "a b"
