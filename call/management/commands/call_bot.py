"""`manage.py call_bot ROOM`: participants in Python join a room's call, to try it alone."""

import asyncio
import logging
import signal
from argparse import ArgumentParser
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from av import FFmpegError
from django.core.management.base import BaseCommand, CommandError

from call.participant import Participant
from call.sources import Echo, Moving, Played, Source
from call.wire import Refused, Unreachable

DEFAULT_URL = "http://127.0.0.1:8000"


class Command(BaseCommand):
    help = (
        "Brings participants into a room and its call, each with a moving picture and a tone; says "
        "at the end what they saw. Ctrl-C ends it."
    )
    requires_system_checks = ()  # it speaks to a server and is none

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", help="name or key of the room")
        parser.add_argument("--url", default=DEFAULT_URL, help=f"of Noom; {DEFAULT_URL}")
        parser.add_argument("--count", type=int, default=1, help="how many join; 1")
        parser.add_argument("--seconds", type=float, help="how long they stay; until Ctrl-C")
        parser.add_argument("--record", type=Path, help="folder for what the first one receives")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--play", type=Path, help="a sound or video file to send, once")
        what.add_argument("--echo", action="store_true", help="send back what comes")

    def handle(self, *args: Any, **options: Any) -> None:
        # They tell every candidate pair, and warn of each frame that a leaver has sent by half.
        for name in ("aioice", "aiortc"):
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            asyncio.run(self._run(**options))
        except Unreachable as error:
            raise CommandError(f"Noom cannot be reached. {error}") from error
        except Refused as error:
            raise CommandError(f"Noom refused ({error.code}): {error}") from error

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
        async with AsyncExitStack() as stack:
            bots = []
            for index in range(count):
                name = f"{'Echo' if echo else 'Bot'} {index + 1}"
                bot = Participant(
                    url,
                    room,
                    name,
                    source=_source(name, play=play, echo=echo),
                    record=record if index == 0 else None,
                )
                bots.append(await stack.enter_async_context(bot))
                self.stdout.write(f"{bot.nickname} is in the call of {room}.")
            refusal = await _until_over(bots, stopped, seconds)
            for bot in bots:
                self._tell(bot)
            if refusal:
                raise refusal

    def _tell(self, bot: Participant) -> None:
        """What a participant has seen and heard of each of the others."""
        others = {id: person.nickname for id, person in bot.people.items() if id != bot.id}
        for id, nickname in others.items():
            frames = bot.frames_received(id)
            told = ", ".join(f"{slot} {frames[slot]}" for slot in sorted(frames)) or "nothing"
            self.stdout.write(f"{bot.nickname} received of {nickname}, in frames: {told}")
        for path in bot.recorder.files if bot.recorder else ():
            self.stdout.write(f"{bot.nickname} recorded {path}")


def _source(name: str, *, play: Path | None, echo: bool) -> Source:
    if echo:
        return Echo()
    if play is None:
        return Moving(name)
    try:
        return Played(play)
    except (FFmpegError, OSError, ValueError) as error:
        raise CommandError(f"{play} cannot be played: {error}") from error


async def _until_over(
    bots: list[Participant], stopped: asyncio.Event, seconds: float | None
) -> Refused | None:
    """Waits for a signal, for the time to be up, for the file's end, or for a refusal."""
    ends: list[asyncio.Task[Any]] = [asyncio.create_task(stopped.wait())]
    ends += [asyncio.create_task(bot.ended()) for bot in bots]
    ends += [
        asyncio.create_task(bot.source.ended()) for bot in bots if isinstance(bot.source, Played)
    ]
    try:
        done, _ = await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
    return next((end.result() for end in done if isinstance(end.result(), Refused)), None)
