"""Visible characters of names, keys, addresses and messages. Pure.

The tables are from Unicode 16: Default_Ignorable_Code_Point and Extended_Pictographic, which Python
does not have.
"""

import re
import unicodedata


def _characters(ranges: str) -> str:
    """Turn ranges of code points into the inside of a regular expression's `[…]`."""
    ends = [(r.partition("-")[0], r.rpartition("-")[2]) for r in ranges.split()]
    return "".join(rf"\U{int(low, 16):08x}-\U{int(high, 16):08x}" for low, high in ends)


IGNORABLE = _characters(
    "AD 34F 61C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF"
    " FFA0 FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
# Signs and letters by category that are invisible: Braille's empty pattern, an object's place,
# an empty note head, blanks of Egyptian, a filler of Khitan, joiners of Tifinagh and Brahmi.
BLANK = _characters("2800 FFFC 1D159 13441-13442 16FE4 2D7F 1107F")
# Includes code points that Unicode reserves for future emoji, unassigned for Python.
PICTURE = _characters(
    "A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 2388 23CF 23E9-23F3 23F8-23FA"
    " 24C2 25AA-25AB 25B6 25C0 25FB-25FE 2600-2605 2607-2612 2614-2685 2690-2705 2708-2712 2714"
    " 2716 271D 2721 2728 2733-2734 2744 2747 274C 274E 2753-2755 2757 2763-2767 2795-2797 27A1"
    " 27B0 27BF 2934-2935 2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D 3297 3299 1F000-1F0FF"
    " 1F10D-1F10F 1F12F 1F16C-1F171 1F17E-1F17F 1F18E 1F191-1F19A 1F1AD-1F1E5 1F201-1F20F 1F21A"
    " 1F22F 1F232-1F23A 1F23C-1F23F 1F249-1F3FA 1F400-1F53D 1F546-1F64F 1F680-1F6FF 1F774-1F77F"
    " 1F7D5-1F7FF 1F80C-1F80F 1F848-1F84F 1F85A-1F85F 1F888-1F88F 1F8AE-1F8FF 1F90C-1F93A"
    " 1F93C-1F945 1F947-1FAFF 1FC00-1FFFD"
)
# Pictures that a joiner can attach to an emoji (emoji-zwj-sequences.txt). Between other pictures
# a joiner is invisible, and two names would differ by it alone.
JOINED = _characters(
    "2194-2195 2620 2640 2642 2695-2696 26A7 2708 2744 2764 27A1 2B1B 1F308 1F32B 1F33E 1F373"
    " 1F37C 1F384 1F393 1F3A4 1F3A8 1F3EB 1F3ED 1F466-1F469 1F48B 1F4A5 1F4A8 1F4AB 1F4BB-1F4BC"
    " 1F525 1F527 1F52C 1F5E8 1F680 1F692 1F7E9 1F7EB 1F91D 1F9AF-1F9B3 1F9BA 1F9BC-1F9BD"
    " 1F9D1-1F9D2 1FA70 1FA79"
)
COLOURED = "\ufe0f"  # selects the emoji form of a character that is also a plain sign
_STYLE = rf"{COLOURED}?[\U0001f3fb-\U0001f3ff]?"
# Emoji of several characters (UTS 51): joined ones, keycaps, flags of regions.
EMOJI = re.compile(
    rf"[{PICTURE}]{_STYLE}(?:\u200d[{JOINED}]{_STYLE})*"
    rf"|[0-9#*]{COLOURED}\u20e3"
    r"|\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f"
)
_UNSEEN = re.compile(f"[{IGNORABLE}{BLANK}]")
_PICTURE = re.compile(f"[{PICTURE}]")


def shows(char: str) -> bool:
    """Whether a character is visible, alone or on the one before it.

    Spaces, controls, formats (bidi, zero-width), private use, surrogates and fillers are not.
    """
    if char.isspace() or _UNSEEN.match(char):
        return False
    category = unicodedata.category(char)
    return category[0] != "C" or (category == "Cn" and bool(_PICTURE.match(char)))


def _is_new(char: str) -> bool:
    is_free = unicodedata.category(char) == "Cn" and not _UNSEEN.match(char)
    return is_free and ord(char) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(char) <= 0xFDEF


def is_mark(char: str) -> bool:
    """Whether a character is drawn on the one before it, and is invisible alone."""
    return unicodedata.category(char)[0] == "M"


def has_ink(text: str) -> bool:
    """Whether anything in a text is visible.

    A letter that is newer than Python's Unicode counts, because it is drawn at least as a box.
    """
    return any((shows(char) or _is_new(char)) and not is_mark(char) for char in text)


def visible(text: str) -> str:
    """The visible part of a text, in NFC, with plain spaces.

    Emoji stay whole. Marks without a letter before them go. A second call changes nothing.
    """
    text, before = unicodedata.normalize("NFC", text), None
    # A removed character may have been between a letter and its mark, or between two pictures.
    while text != before:
        before, text = text, unicodedata.normalize("NFC", _without_unseen(text))
    return text


def _without_unseen(text: str) -> str:
    kept: list[str] = []
    end = 0
    for emoji in EMOJI.finditer(text):
        _keep(text[end : emoji.start()], kept)
        kept.append(emoji[0])
        end = emoji.end()
    _keep(text[end:], kept)
    return "".join(kept)


def _keep(text: str, kept: list[str]) -> None:
    for char in text:
        if char.isspace():
            kept.append(" ")
        elif shows(char) and not (is_mark(char) and (not kept or kept[-1] == " ")):
            kept.append(char)
