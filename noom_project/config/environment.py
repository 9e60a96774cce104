"""Reads typed settings from the environment and refuses wrong values."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from zoneinfo import available_timezones

from noom_project.config.addresses import Wrong
from noom_project.config.secret_masking import without_passwords

T = TypeVar("T")
# The methods below have the names of these types, so aliases are needed.
Flag: TypeAlias = bool
Whole: TypeAlias = int
Text: TypeAlias = str

# A value under a former name would silently have no effect.
FORMER_NAMES = {
    "LEASE_S": "PRESENCE_LEASE_S",
    "RENEW_S": "HEARTBEAT_INTERVAL_S",
    "GRACE_S": "RECONNECT_GRACE_S",
    "GOODBYE_GRACE_S": "RELOAD_GRACE_S",
    "JOINS_PER_S": "CONNECTIONS_PER_S",
}
MAX_SHOWN_CHARS = 80  # of a wrong value in a message; the rest is cut off
MOST = 1_000_000_000
FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(
    ("0", "false", "no", "off"), False
)


def printable(text: str) -> None:
    """Raises Wrong for a text with control characters or half characters in it."""
    if not text.isprintable():
        raise Wrong("take out what cannot be seen")


def check_time_zone(text: str) -> None:
    """Raises Wrong for a text that is no time zone."""
    if text not in available_timezones():
        raise Wrong("set it to a time zone such as UTC or Asia/Seoul")


@dataclass(frozen=True)
class Variable:
    """A declared variable as docs/configuration.md shows it, in Markdown."""

    name: str
    default: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Section:
    """A section of docs/configuration.md."""

    title: str
    note: str
    variables: list[Variable] = field(default_factory=list)


class Environment:
    """Reads settings by name, collects all faults, and refuses them together.

    Each reader declares a variable: its name, what it means, its default. `unit` and `shown` say
    for readers of docs/configuration.md what type and default do not. It never guesses a value: a
    misspelt flag would silently mean "off". It also never takes a value for the name of another
    variable, as some libraries take `$…`.
    """

    def __init__(self, values: Mapping[Text, Text]) -> None:
        self._values = values
        self._wrong: list[Text] = []
        self.sections: list[Section] = []

    def section(self, title: Text, note: Text = "") -> None:
        """Begins a section; the variables declared after this belong to it."""
        self.sections.append(Section(title, note))

    def bool(self, name: Text, meaning: Text, *, default: Flag) -> Flag:
        """Reads a flag: 1 or 0, or the usual words for them."""

        def parse(text: Text) -> Flag:
            if text.lower() not in FLAGS:
                raise Wrong("set it to 1 or 0")
            return FLAGS[text.lower()]

        self._declare(name, meaning, f"`{int(default)}`", "flag")
        return self._read(name, default, parse)

    def int(
        self,
        name: Text,
        meaning: Text,
        *,
        default: Whole,
        unit: Text,
        least: Whole = 1,
        most: Whole = MOST,
    ) -> Whole:
        """Reads a whole number within these bounds."""

        def parse(text: Text) -> Whole:
            if not re.fullmatch(r"[+-]?[0-9]{1,18}", text) or not least <= int(text) <= most:
                raise Wrong(f"set it to a whole number from {least} to {most}")
            return int(text)

        self._declare(name, meaning, f"`{default}`", unit)
        return self._read(name, default, parse)

    def float(
        self, name: Text, meaning: Text, *, default: float, unit: Text, most: float = MOST
    ) -> float:
        """Reads a number above 0."""

        def parse(text: Text) -> float:
            pattern = r"\+?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})"
            if not re.fullmatch(pattern, text) or not 0 < float(text) <= most:
                raise Wrong(f"set it to a number above 0, at most {most}")
            return float(text)

        self._declare(name, meaning, f"`{default:g}`", unit)
        return self._read(name, default, parse)

    def choice(
        self,
        name: Text,
        meaning: Text,
        *,
        default: Text,
        among: Sequence[Text],
        unit: Text = "",
        shown: Text = "",
    ) -> Text:
        """Reads one of these words, in any case."""
        words = {word.lower(): word for word in among}

        def parse(text: Text) -> Text:
            if text.lower() not in words:
                raise Wrong(f"set it to one of {', '.join(among)}")
            return words[text.lower()]

        unit = unit or ", ".join(f"`{word}`" for word in among)
        self._declare(name, meaning, shown or f"`{default}`", unit)
        return self._read(name, default, parse)

    def str(
        self,
        name: Text,
        meaning: Text,
        *,
        default: Text,
        unit: Text,
        check: Callable[[Text], None] = printable,
        shown: Text = "",
    ) -> Text:
        """Reads a text; `check` raises Wrong for an invalid one."""

        def parse(text: Text) -> Text:
            check(text)
            return text

        self._declare(name, meaning, shown or f"`{default}`", unit)
        return self._read(name, default, parse)

    def list(
        self,
        name: Text,
        meaning: Text,
        *,
        default: list[Text],
        check: Callable[[Text], None] = printable,
        split: Callable[[Text], list[Text]] = lambda text: text.split(","),
        unit: Text = "list",
        shown: Text = "none",
    ) -> list[Text]:
        """Reads texts separated by commas, each valid by `check`; empty means none."""

        def parse(text: Text) -> list[Text]:
            if re.search(r"\s", text):
                raise Wrong("take the blanks out and join several by commas alone")
            found = split(text) if text else []
            for one in found:
                if not one:
                    raise Wrong("take out the comma that nothing stands beside")
                check(one)
            return found

        self._declare(name, meaning, shown, unit)
        return self._read(name, default, parse)

    def json(self, name: Text, meaning: Text, *, default: Any, check: Callable[[Any], None]) -> Any:
        """Reads JSON; `check` raises Wrong for an invalid value."""

        def parse(text: Text) -> Any:
            try:
                found = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise Wrong(f"set it to JSON ({error})") from error
            check(found)
            return found

        self._declare(name, meaning, f"`{json.dumps(default)}`", "JSON")
        return self._read(name, default, parse)

    def secret(
        self, name: Text, meaning: Text, *, least_chars: Whole = 1, shown: Text = "none"
    ) -> Text:
        """Reads a secret, which no message shows; empty means none."""

        def parse(text: Text) -> Text:
            if not re.fullmatch(r"[!-~]*", text):
                raise Wrong("use visible ASCII characters alone, without blanks")
            if text and len(text) < least_chars:
                raise Wrong(f"use at least {least_chars} characters, it has {len(text)}")
            return text

        self._declare(name, meaning, shown, "text")
        return self._read(name, "", parse, is_secret=True)

    def refuse(self) -> None:
        """Ends the program with one line for each wrong setting, if there is one.

        SystemExit, because Django's commands show tracebacks of exceptions, or go on after them.
        """
        former = [name for name in FORMER_NAMES if name in self._values]
        self._wrong += [f"{name} is called {FORMER_NAMES[name]} now; rename it" for name in former]
        if self._wrong:
            raise SystemExit("\n".join(f"Noom cannot start: {wrong}." for wrong in self._wrong))

    @property
    def names(self) -> Sequence[Text]:
        """The names of all declared variables."""
        return [variable.name for section in self.sections for variable in section.variables]

    def _declare(self, name: Text, meaning: Text, default: Text, unit: Text) -> None:
        self.sections[-1].variables.append(Variable(name, default, unit, meaning))

    def _read(
        self, name: Text, default: T, parse: Callable[[Text], T], *, is_secret: Flag = False
    ) -> T:
        text = self._values.get(name)
        if text is None:
            return default
        try:
            return parse(text)
        except Wrong as wrong:
            value = "not usable" if is_secret else ascii(without_passwords(text))
            if len(value) > MAX_SHOWN_CHARS:
                value = f"{value[:MAX_SHOWN_CHARS]}…"
            self._wrong.append(f"{name} is {value}; {wrong}")
            return default
