"""`manage.py call_bot` and the files that it plays."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from call.bot.participant import Participant
from tests.support.media.video_files import cut, film, spoilt
from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import Noom
from tests.system.test_bot import bot


async def played(noom: Noom, path: Path) -> tuple[int, str]:
    """The exit code and the errors of a bot that plays a file to somebody."""
    room = path.stem
    async with Participant(noom.url, room, "Nova"):
        process = bot(room, "--url", noom.url, "--play", str(path))
        _, errors = await asyncio.to_thread(process.communicate, timeout=60 * PATIENCE)
        return process.returncode, errors


async def test_call_bot_plays_a_whole_film_and_ends_well(noom: Noom, tmp_path: Path):
    assert await played(noom, film(tmp_path / "whole.mp4", 4)) == (0, "")


@pytest.mark.parametrize("damage", [cut, spoilt])
async def test_call_bot_reports_a_file_damaged_later_on(
    noom: Noom, tmp_path: Path, damage: Callable[[Path, float], Path]
):
    path = damage(tmp_path / f"{damage.__name__}.mp4", 0.8)
    code, errors = await played(noom, path)
    assert code == 1
    assert f"--play: {path} was not played to its end: it " in errors
    assert "Traceback" not in errors
