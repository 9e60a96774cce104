"""Three hundred hostile nicknames. Pure."""

import itertools
import random

COUNT = 300
ZALGO = [chr(code) for code in range(0x0300, 0x0370)]
STACKS = "\u0e34\u0e35\u0e48\u0e49\u0eb4\u0ec8\u0f71\u0f74\u0fb2\u0651\u064b\u05b0\u05bc\u20dd"
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u3164\u2800\u115f\u180e\ufe0f\U000e0041"
BIDI = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
LIKE = dict(zip("aceiopsvN", ("аɑα", "сϲ", "еҽ", "іıι", "оο0", "рρ", "ѕ", "νѵ", "Ν"), strict=True))
TARGETS = ("Nova", "scope", "paris", "Novalis")
PLAIN = (
    *("Host", "(Host)", "Nova (2)", "Nova (3)", "\U0001f451 Nova", "\u265a Nova"),
    *("Anon", "anon", "", " ", "\n", "\t\t", "\u2028", "\u3000", "\u00a0", "...."),
    *("|", "l", "I", "1", "rn", "m", "vv", "w", "<b>Nova</b>", "</bdi><h1>x", "&lt;"),
    *("{{ name }}", "%s%n", "../..", "javascript:x", "\\u0000", "W" * 250, "i" * 250),
    *("\ufdfd" * 40, "\U0001242b" * 40, "가" * 60, "نوفا" * 20, "\u0e33" * 40),
    *("\U0001f469\u200d\U0001f469\u200d\U0001f467" * 12, "\U0001f3f4" * 40, "1\ufe0f\u20e3" * 12),
    *("Ｎｏｖａ", "𝐍𝐨𝐯𝐚", "ⓃⓄⓋⒶ", "ᴺᵒᵛᵃ", "N o v a", "N\u2003o\u2003v\u2003a"),
    *("nova", "NOVA", "Nóva", "N\u0336ova"),
)


def homoglyphs(name: str) -> list[str]:
    """Return the name in all spellings that look like it."""
    choices = [[letter, *LIKE.get(letter, "")] for letter in name]
    return ["".join(letters) for letters in itertools.product(*choices)]


def nicknames() -> list[str]:
    """Return three hundred nicknames, equal in each run.

    The first letters of some look like those of others.
    """
    rng = random.Random(14)
    found = list(PLAIN)
    for target in TARGETS:
        spelled = homoglyphs(target)
        found += rng.sample(spelled, min(30, len(spelled)))
    while len(found) < COUNT:
        base = rng.choice(["Nova", "김하늘", "Зоя", "شيماء", "日本", "x"])
        kind = rng.choice([ZALGO, STACKS, INVISIBLE, BIDI])
        found.append("".join(c + "".join(rng.choices(kind, k=rng.randint(0, 12))) for c in base))
    return found[:COUNT]
