"""`manage.py call_bot ROOM`: participants in Python join a room's call."""

import asyncio
import logging
import signal
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from av import FFmpegError
from django.core.management.base import BaseCommand, CommandError

from call.bot.media.sources import Damaged, Echo, Moving, Played, Source
from call.bot.participant import Participant
from call.bot.socket import RequestRefused, Unreachable

DEFAULT_URL = "http://127.0.0.1:8000"


class Command(BaseCommand):
    help = (
        "Brings participants into a room and its call, each with a moving picture and a tone; says "
        "at the end what they saw. Ctrl-C ends it."
    )
    requires_system_checks = ()  # it is a client of a server

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", help="name or key of the room")
        parser.add_argument("--url", default=DEFAULT_URL, help=f"of Noom; {DEFAULT_URL}")
        parser.add_argument("--count", type=_count, default=1, help="how many join; 1")
        parser.add_argument("--seconds", type=_seconds, help="how long they stay; until Ctrl-C")
        parser.add_argument("--record", type=Path, help="folder for what the first one receives")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--play", type=Path, help="a sound or video file to send, once")
        what.add_argument("--echo", action="store_true", help="send back what comes")

    def handle(self, *args: Any, **options: Any) -> None:
        # They log every candidate pair, and each incomplete frame of a caller who leaves.
        for name in ("aioice", "aiortc"):
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            asyncio.run(self._run(**options))
        except Unreachable as error:
            raise CommandError(f"Noom cannot be reached. {error}") from error
        except RequestRefused as error:
            raise CommandError(f"Noom refused ({error.code}): {error}") from error
        except Damaged as error:
            play = options["play"]
            raise CommandError(f"--play: {play} was not played to its end: {error}.") from error

    async def _run(
        self,
        *,
        room: str,
        url: str,
        count: int,
        seconds: float | None,
        record: Path | None,
        play: Path | None,
        echo: bool,
        **options: Any,
    ) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        bots = [
            _bot(url, room, index, play=play, echo=echo, record=record if index == 0 else None)
            for index in range(count)
        ]
        joined: list[Participant] = []
        attending = asyncio.create_task(self._attend(bots, joined, room, seconds))
        stopping = asyncio.create_task(stopped.wait())
        try:
            # A signal ends joining too, which may take long without an answer of the server.
            await asyncio.wait({attending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            problem = attending.result() if attending.done() else None
            for bot in joined:
                self._tell(bot)
        finally:
            for task in (attending, stopping):
                task.cancel()
            await asyncio.gather(attending, stopping, return_exceptions=True)
            # All at once, so that a slow one does not delay the departure of another.
            await asyncio.gather(*(bot.leave() for bot in joined))
        if problem:
            raise problem

    async def _attend(
        self, bots: list[Participant], joined: list[Participant], room: str, seconds: float | None
    ) -> RequestRefused | Damaged | None:
        """Join the bots one after another, and wait for the end."""
        for bot in bots:
            await bot.__aenter__()
            joined.append(bot)
            self.stdout.write(f"{bot.nickname} is in the call of {room}.")
        return await _until_over(bots, seconds)

    def _tell(self, bot: Participant) -> None:
        """Print how many frames a bot received from each other participant."""
        others = {id: person.nickname for id, person in bot.people.items() if id != bot.id}
        for id, nickname in others.items():
            frames = bot.frames_received(id)
            told = ", ".join(f"{slot} {frames[slot]}" for slot in sorted(frames)) or "nothing"
            self.stdout.write(f"{bot.nickname} received of {nickname}, in frames: {told}")
        for path in bot.recorder.files if bot.recorder else ():
            self.stdout.write(f"{bot.nickname} recorded {path}")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is no number of participants: give 1 or more.")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"{text} is no length of time: give seconds above 0.")
    return seconds


def _bot(
    url: str, room: str, index: int, *, play: Path | None, echo: bool, record: Path | None
) -> Participant:
    name = f"{'Echo' if echo else 'Bot'} {index + 1}"
    source = _source(name, play=play, echo=echo)
    try:
        return Participant(url, room, name, source=source, record=record)
    except OSError as error:
        raise CommandError(
            f"--record: {record} takes no files ({error.strerror}). Give a folder that you may "
            "write to."
        ) from error


def _source(name: str, *, play: Path | None, echo: bool) -> Source:
    if echo:
        return Echo()
    if play is None:
        return Moving(name)
    try:
        return Played(play)
    except (FFmpegError, OSError, ValueError) as error:
        raise CommandError(
            f"--play: {play} cannot be played: {error}. Give a film or a sound."
        ) from error


async def _until_over(
    bots: list[Participant], seconds: float | None
) -> RequestRefused | Damaged | None:
    """Wait for the end of the time or of the file, or for a refusal."""
    ends: list[asyncio.Task[Any]] = [asyncio.create_task(bot.ended()) for bot in bots]
    ends += [
        asyncio.create_task(_damage(bot.source)) for bot in bots if isinstance(bot.source, Played)
    ]
    try:
        done, _ = await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
    return next((end.result() for end in done if end.result() is not None), None)


async def _damage(source: Played) -> Damaged | None:
    """Wait for the end of a file; return its damage, if any."""
    try:
        await source.ended()
    except Damaged as damage:
        return damage
    return None
