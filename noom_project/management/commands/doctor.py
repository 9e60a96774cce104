"""`manage.py doctor [URL]`: reports what is wrong with an installation."""

import asyncio
import sys
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from noom_project.doctor import inside, outside, relay
from noom_project.doctor.findings import CHECK_S, Check, Finding, text, words, wrong
from noom_project.doctor.web import Site


class Command(BaseCommand):
    """Runs the checks one after the other, and exits with 1 if one fails."""

    help = (
        "Examine Noom with its own settings, and from outside at URL. Exit code 1: something is"
        " wrong."
    )
    requires_system_checks: Any = ()  # the first check runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", nargs="?", default="", help="such as https://meet.example.org")
        parser.add_argument("--outside", action="store_true", help="only what URL shows")
        parser.add_argument("--ca", default="", help="a file with an authority of your own (PEM)")

    def handle(self, *args: Any, url: str, outside: bool, ca: str, **options: Any) -> None:
        if asyncio.run(self._examine(_checks(url, outside, ca))):
            sys.exit(1)

    async def _examine(self, checks: list[Check]) -> int:
        """Prints each finding; returns how many are wrong."""
        count = 0
        for check in checks:
            finding = await _bounded(check)
            self.stdout.write(text(finding))
            count += finding.state == "wrong"
        self.stdout.write(f"\n{count} wrong." if count else "\nNothing is wrong.")
        return count


def _checks(url: str, only_outside: bool, authority: str) -> list[Check]:
    """Returns the checks. Raises CommandError for an invalid URL or authority."""
    where = urlsplit(url)
    if url and not (where.scheme in ("http", "https") and where.hostname):
        raise CommandError(f"{url!r} is no address: write https://NAME or http://NAME:PORT.")
    if only_outside and not url:
        raise CommandError("--outside needs a URL, such as https://meet.example.org.")
    found = [] if only_outside else [*inside.all_checks(), *relay.all_checks()]
    try:
        return found + (outside.all_checks(Site(url, authority)) if url else [])
    except OSError as error:
        raise CommandError(f"--ca {authority}: {words(error)}.") from error


async def _bounded(check: Check) -> Finding:
    """Runs a check; one that hangs or fails must not stop the other checks."""
    try:
        async with asyncio.timeout(CHECK_S):
            return await check()
    except Exception as error:
        advice = "Please report it, with this line."
        return wrong("doctor", f"a check failed ({type(error).__name__})", words(error), advice)
