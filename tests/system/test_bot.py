"""Participants in Python, two in one room of a real server: what they say, see, and survive."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import pytest
from PIL import Image
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from call.bot import room_page
from call.bot.media.sources import Echo
from call.bot.participant import Participant
from call.bot.socket import RequestRefused, Unreachable
from call.bot.transceivers import Slot
from chat.protocol import close_codes
from tests.support.media.video_files import film
from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT, Noom, free_port

NEW_FRAMES: dict[Slot, int] = {"camera": 10, "microphone": 20}
DEADLINE_S = 30.0


async def until(check: Callable[[], object], what: str, seconds: float = DEADLINE_S) -> None:
    """Waits for a state, as `tests.support.waiting.until` does, in a loop."""
    try:
        async with asyncio.timeout(seconds * PATIENCE):
            while not check():  # noqa: ASYNC110 - a state of many parts, and no event
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"waited {seconds * PATIENCE} s for {what}")


async def receives(here: Participant, there: Participant, slots=("camera", "microphone")) -> None:
    """Waits until `here` has decoded new frames of `there`."""
    before = here.frames_received(there.id)
    await until(
        lambda: all(
            here.frames_received(there.id)[slot] >= before[slot] + NEW_FRAMES[slot]
            for slot in slots
        ),
        f"{here.nickname} to see and hear {there.nickname}",
    )


async def meet(*people: Participant) -> None:
    for here in people:
        for there in people:
            if here is not there:
                await receives(here, there)


def hears_all(participant: Participant) -> bool:
    return texts(participant) == ["hello", "hello yourself"]


def in_call(participant: Participant, ids: set[str]) -> bool:
    return participant.callers.keys() == ids


def texts(participant: Participant) -> list[str]:
    return [message.text for message in participant.messages]


async def test_two_bots_exchange_messages_and_media(noom: Noom):
    async with (
        Participant(noom.url, "two", "Nova") as nova,
        Participant(noom.url, "two", "Mira") as mira,
    ):
        await nova.say("hello")
        await mira.say("hello yourself")
        for one in (nova, mira):
            await until(partial(hears_all, one), "both messages")
            names = sorted(person.nickname for person in one.people.values())
            assert names == ["Mira", "Nova"]
        assert [message.sender for message in nova.messages] == [nova.id, mira.id]
        await meet(nova, mira)


async def test_three_callers_receive_media_in_every_pair(noom: Noom):
    async with (
        Participant(noom.url, "three", "Nova") as nova,
        Participant(noom.url, "three", "Mira") as mira,
        Participant(noom.url, "three", "Kim") as kim,
    ):
        await meet(nova, mira, kim)


async def test_mute_is_published_and_needs_no_new_connection(noom: Noom):
    async with (
        Participant(noom.url, "mute", "Nova") as nova,
        Participant(noom.url, "mute", "Mira") as mira,
    ):
        await receives(nova, mira)
        assert nova._mesh
        connection = nova._mesh.peers[mira.id].pc
        await mira.set_media(audio=False)
        await until(lambda: not nova.callers[mira.id].media.audio, "the mark")
        await _falls_silent(nova, mira)
        before = nova.frames_received(mira.id)["microphone"]
        await receives(nova, mira, ["camera"])
        assert nova.frames_received(mira.id)["microphone"] == before
        await mira.set_media(audio=True)
        await receives(nova, mira)
        assert nova._mesh.peers[mira.id].pc is connection


async def _falls_silent(here: Participant, there: Participant) -> None:
    """Waits until pictures of `there` come and no sound does: what was on its way has come."""
    async with asyncio.timeout(DEADLINE_S * PATIENCE):
        before = -1
        while here.frames_received(there.id)["microphone"] != before:
            before = here.frames_received(there.id)["microphone"]
            await receives(here, there, ["camera"])


async def test_leaving_bot_is_removed_at_once(noom: Noom):
    async with Participant(noom.url, "leave", "Nova") as nova:
        async with Participant(noom.url, "leave", "Mira") as mira:
            await receives(nova, mira)
        await until(lambda: nova.callers.keys() == nova.people.keys() == {nova.id}, "Mira gone", 3)
        async with Participant(noom.url, "leave", "Mira") as mira:
            await meet(nova, mira)


async def test_bots_survive_a_killed_and_restarted_server(start_noom: Callable[..., Noom]):
    noom = start_noom()
    async with (
        Participant(noom.url, "killed", "Nova") as nova,
        Participant(noom.url, "killed", "Mira") as mira,
    ):
        await nova.say("before")
        await meet(nova, mira)
        assert nova._mesh
        ids, connection = (nova.id, mira.id), nova._mesh.peers[mira.id].pc
        noom.kill()
        saying = asyncio.create_task(mira.say("while it was away"))
        await meet(nova, mira)
        await asyncio.to_thread(noom.start)
        await saying
        await until(lambda: texts(nova) == ["before", "while it was away"], "the message")
        for one in (nova, mira):
            await until(partial(in_call, one, set(ids)), "both in the call")
        assert (nova.id, mira.id) == ids
        await meet(nova, mira)
        assert nova._mesh.peers[mira.id].pc is connection, "the media never went through the line"


async def test_connection_that_ends_is_made_anew(noom: Noom):
    async with (
        Participant(noom.url, "anew", "Nova") as nova,
        Participant(noom.url, "anew", "Mira") as mira,
    ):
        await meet(nova, mira)
        assert nova._mesh
        await nova._mesh.peers[mira.id].pc.close()
        await meet(nova, mira)


@pytest.mark.parametrize("polite_too", [False, True], ids=["impolite alone", "glare"])
async def test_new_offer_in_the_same_session_is_answered(noom: Noom, polite_too: bool):
    async with (
        Participant(noom.url, f"glare-{polite_too}", "Nova") as nova,
        Participant(noom.url, f"glare-{polite_too}", "Mira") as mira,
    ):
        await meet(nova, mira)
        assert nova._mesh
        assert mira._mesh
        nova._mesh._replace_peer(mira.id, None)
        if polite_too:
            mira._mesh._replace_peer(nova.id, None)
            peer = mira._mesh.peers[nova.id]
            peer._operations.put_nowait(peer._offer)
        await meet(nova, mira)


async def test_echo_returns_and_recorder_writes_received_media(noom: Noom, tmp_path: Path):
    async with (
        Participant(noom.url, "echo", "Echo", source=Echo()) as echo,
        Participant(noom.url, "echo", "Nova", record=tmp_path) as nova,
    ):
        await receives(nova, echo)
        await receives(nova, echo)  # and again, for a recording of some length
    assert nova.recorder
    (file,) = nova.recorder.files
    assert file.name == "Echo.mp4"
    with av.open(str(file)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= NEW_FRAMES["camera"]
    with av.open(str(file)) as container:
        assert sum(1 for _ in container.decode(audio=0)) >= NEW_FRAMES["microphone"]


async def test_recording_is_complete_after_its_caller_leaves(noom: Noom, tmp_path: Path):
    async with Participant(noom.url, "recorded", "Nova", record=tmp_path) as nova:
        async with Participant(noom.url, "recorded", "Mira") as mira:
            await receives(nova, mira)
        assert nova.recorder
        recorder = nova.recorder
        await until(lambda: not recorder._writers, "the end of the file")
        with av.open(str(tmp_path / "Mira.mp4")) as container:
            assert any(True for _ in container.decode(video=0))
        assert (await nova.say("and on")).seq == 1


async def test_given_token_is_used(noom: Noom):
    page = await room_page.load(noom.url, "A Room")
    async with Participant(noom.url, page.key, "Nova", token=page.token) as nova:
        assert nova.people[nova.id].nickname == "Nova"
    with pytest.raises(RequestRefused, match="reload"):
        async with Participant(noom.url, "another-room", "Nova", token=page.token):
            pass


async def test_newer_bot_with_the_same_token_replaces_the_older(noom: Noom):
    page = await room_page.load(noom.url, "replaced")
    async with (
        Participant(noom.url, page.key, "Nova", token=page.token) as older,
        Participant(noom.url, page.key, "Nova", token=page.token) as newer,
    ):
        refusal = await asyncio.wait_for(older.ended(), DEADLINE_S * PATIENCE)
        assert refusal.code == str(close_codes.REPLACED)
        assert newer.id == older.id
        await newer.say("still here")


async def test_bot_plays_a_file_and_leaves_at_its_end(noom: Noom, tmp_path: Path):
    film(tmp_path / "film.mp4")
    async with Participant(noom.url, "film", "Nova") as nova:
        playing = ["--play", str(tmp_path / "film.mp4"), "--url", noom.url]
        process = await asyncio.to_thread(bot, "film", *playing)
        await until(lambda: len(nova.callers) == 2, "the bot")
        shown = (nova.callers.keys() - {nova.id}).pop()
        await until(lambda: nova.frames_received(shown)["camera"] >= 10, "its pictures")
        assert not nova.callers[shown].media.audio
        output, errors = await asyncio.to_thread(process.communicate, timeout=30 * PATIENCE)
        assert (process.returncode, errors) == (0, "")
        await until(lambda: len(nova.people) == 1, "the bot gone", 5)
        assert "Bot 1 received of Nova" in output


async def test_bot_reports_an_unreachable_server():
    with pytest.raises(Unreachable, match="refused"):
        async with Participant(f"http://127.0.0.1:{free_port()}", "room"):
            pass


async def test_foreign_origin_gets_no_socket(noom: Noom):
    """The premise of the Origin that participants send."""
    with pytest.raises(InvalidStatus, match="403"):
        await connect(f"{noom.url.replace('http', 'ws')}/ws/chat/two/")


async def test_bot_reports_a_full_call(start_noom: Callable[..., Noom]):
    noom = start_noom(CALL_CAPACITY="2")
    async with Participant(noom.url, "full", "Nova"), Participant(noom.url, "full", "Mira"):
        process = await asyncio.to_thread(bot, "full", "--url", noom.url)
        _, errors = await asyncio.to_thread(process.communicate, timeout=30 * PATIENCE)
        assert process.returncode == 1
        assert "Noom refused (call_full): The call is full." in errors
        with pytest.raises(RequestRefused, match="full"):
            async with Participant(noom.url, "full", "Kim"):
                pass


def bot(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "manage.py", "call_bot", *arguments],
        cwd=ROOT,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_call_bot_joins_and_reports_what_it_received(noom: Noom):
    for seconds in (8, 8 * PATIENCE):  # the second for a machine that takes longer
        bots = bot("bots", "--count", "2", "--seconds", f"{seconds}", "--url", noom.url)
        output, errors = bots.communicate(timeout=60 * PATIENCE)
        assert (bots.returncode, errors) == (0, "")
        if output.count("received of") == 2:
            break
    for here, there in (("Bot 1", "Bot 2"), ("Bot 2", "Bot 1")):
        line = next(x for x in output.splitlines() if x.startswith(f"{here} received of {there}"))
        assert "camera" in line
        assert "microphone" in line


async def test_call_bot_leaves_on_ctrl_c(noom: Noom):
    async with Participant(noom.url, "ctrl-c", "Nova") as nova:
        process = await asyncio.to_thread(bot, "ctrl-c", "--url", noom.url)
        await until(lambda: len(nova.callers) == 2, "the bot")
        process.send_signal(signal.SIGINT)
        await until(lambda: len(nova.people) == 1, "the bot gone", 5)
        output, errors = await asyncio.to_thread(process.communicate, timeout=30 * PATIENCE)
        assert (process.returncode, errors) == (0, "")
        assert "Bot 1 received of Nova" in output


def test_call_bot_ends_on_ctrl_c_while_the_server_is_silent():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = bot("silent", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}")
        silent.settimeout(DEADLINE_S * PATIENCE)
        with silent.accept()[0]:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=DEADLINE_S * PATIENCE)
    # The deadline for the page would end the command as well, but with an error.
    assert (process.returncode, errors) == (0, "")


def test_call_bot_reports_what_is_wrong(noom: Noom, tmp_path: Path):
    Image.new("RGB", (8, 8)).save(tmp_path / "still.png")
    whole = film(tmp_path / "film.mp4").read_bytes()
    (tmp_path / "damaged.mp4").write_bytes(whole[: len(whole) // 2])
    wrong = {
        "is a picture (png)": ["--play", str(tmp_path / "still.png")],
        "damaged.mp4 cannot be played": ["--play", str(tmp_path / "damaged.mp4")],
        "takes no files (File exists)": ["--record", str(tmp_path / "still.png")],
        "0 is no number of participants": ["--count", "0"],
        "Noom cannot be reached": ["--url", f"http://127.0.0.1:{free_port()}"],
        "cannot be played": ["--url", noom.url, "--play", str(tmp_path / "missing.mp4")],
    }
    for sentence, arguments in wrong.items():
        process = bot("wrong", *arguments)
        _, errors = process.communicate(timeout=60 * PATIENCE)
        assert process.returncode in (1, 2)  # 2: argparse
        assert sentence in errors
        assert "Traceback" not in errors
