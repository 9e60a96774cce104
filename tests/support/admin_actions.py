"""Helpers for tests of the admin.

They send forms that ask for confirmation, and read the log of actions.
"""

from django.contrib.admin.models import LogEntry
from django.http import StreamingHttpResponse
from django.test import AsyncClient

ROOMS = "/admin/chat/room/"


async def logged() -> list[str]:
    entries = [entry async for entry in LogEntry.objects.all()]
    return [entry.change_message for entry in entries]


async def agree(browser: AsyncClient, path: str, **data: object) -> None:
    """Send a form, check that nothing has happened, and confirm the question."""
    before = await logged()
    question = await browser.post(path, data)
    assert 'id="question"' in question.content.decode()
    assert await logged() == before
    answer = await browser.post(path, {**data, "sure": "yes"})
    assert answer.status_code == 302


async def streamed(answer: StreamingHttpResponse) -> str:
    """Return the whole of a streamed answer."""
    return b"".join([part async for part in answer]).decode()
