"""Frames that were good, broken as bytes and clients break. Pure."""

import random
from collections.abc import Callable, Sequence

NASTY = (
    *("\0", "\ud800", "\udfff", "\u2028", "\ufeff", "\x1b", "\r\n", '"', "\\", "{", "}", "[", "]"),
    *("NaN", "-Infinity", "1e999", "-1", "9" * 30, "null", "true", '"type":', ",", ":", "\\u0000"),
)
NESTS = ("[" * 2_000, '{"a":' * 2_000, "[[" * 500 + "]]" * 500)


class Mutator:
    """Break one of the seeds at a time.

    An equal seed number breaks them in an equal way.
    """

    def __init__(self, seeds: Sequence[str], number: int, giants: Sequence[str] = NESTS) -> None:
        self._seeds, self._random, self._giants = seeds, random.Random(number), giants
        self._ways: list[Callable[[str, int], str]] = [
            lambda text, at: text[:at],
            lambda text, at: text[:at] + text[at + self._random.randint(1, 8) :],
            lambda text, at: text[:at] + self._random.choice(NASTY) + text[at:],
            lambda text, at: text[:at] + self._random.choice(NASTY) + text[at + 1 :],
            lambda text, at: text[:at] + chr(self._random.randint(0, 0x10FFFF)) + text[at + 1 :],
            lambda text, at: text[:at] + text[at : at + 20] * 3 + text[at + 20 :],
            lambda text, at: text[:at] + self._random.choice(self._seeds)[at:],
            lambda text, at: text[:at] + text[at:].swapcase(),
        ]

    def next(self) -> str:
        """Return a broken text; one in a thousand is far larger than any real frame."""
        text = self._random.choice(self._seeds)
        if self._random.random() < 0.001:
            at = self._random.randrange(len(text) + 1)
            return text[:at] + self._random.choice(self._giants) + text[at:]
        for _ in range(self._random.randint(1, 3)):
            text = self._random.choice(self._ways)(text, self._random.randrange(len(text) + 1))
        return text
