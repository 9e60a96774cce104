"""Server errors: logged once, shown with a reference, and no socket hangs on it."""

import asyncio
import logging
from types import ModuleType

import pytest

from chat.errors import Unavailable
from chat.protocol import close_codes
from chat.services import open_rooms, rooms
from tests.support.clients.protocol_client import Refusal


@pytest.fixture
def failing(monkeypatch):
    """`failing(name, error)`: from now on this function of a service raises it."""

    def failing(name: str, error: Exception, of: ModuleType = rooms) -> None:
        async def fail(*args: object, **options: object) -> None:
            raise error

        monkeypatch.setattr(of, name, fail)

    return failing


@pytest.fixture
def logged(caplog):
    """`logged()`: what was logged that somebody has to look into."""
    return lambda: [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_errors_and_both_sockets_log_the_same_page_name(enter, join, caplog):
    caplog.set_level(logging.INFO)
    nova = await enter("Nova")
    call = await join(nova)
    await call.close()
    await nova.close()
    told = {(r.message, r.socket): r.page for r in caplog.records if hasattr(r, "page")}
    assert told == {
        (word, kind): nova.id for word in ("entered", "closed") for kind in ("chat", "call")
    }


async def test_server_error_answers_its_request_and_keeps_the_socket(enter, failing, logged):
    nova = await enter("Nova")
    failing("list_people", RuntimeError("why"))
    with pytest.raises(Refusal, match=f"reference {nova.id}"):
        await nova.request("people")
    [record] = logged()
    assert (record.reference, record.room) == (nova.id, "room")
    assert str(record.exc_info[1]) == "why"
    await nova.post("still here")


async def test_lobby_that_fails_is_closed_and_logged_once(connect, failing, logged):
    failing("list_open_rooms", RuntimeError("why"), of=open_rooms)
    lobby = await connect("/ws/lobby/")
    assert await lobby.closing() == close_codes.SERVER_ERROR
    [record] = logged()
    assert str(record.exc_info[1]) == "why"


@pytest.mark.parametrize(
    ("error", "level"), [(Unavailable("away"), "WARNING"), (RuntimeError("why"), "ERROR")]
)
async def test_failed_disconnect_is_logged_once(enter, failing, logged, error, level):
    nova = await enter("Nova")
    failing("connection_lost", error)
    await nova.close(1006)
    await asyncio.sleep(0)
    [record] = logged()
    assert record.levelname == level
    assert bool(record.exc_info) == (level == "ERROR")
