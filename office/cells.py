"""Cells of spreadsheets: what a program would calculate is only text, and comes back as it was."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

GUARD: Final = "'"
LONGEST: Final = 32_000
"""A cell of a workbook holds 32,767 characters; what is longer is cut, with a sign that it was."""
# Also behind spaces and signs that nobody sees, in full width and in the small forms of old character sets.
_UNSEEN: Final = r"\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_LEADING: Final = re.compile(rf"[{_UNSEEN}]*[{GUARD}=+\-@＝＋－＠﹦﹢﹣﹫−\t\r\n]")


def guarded(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet might take it for a formula."""
    return GUARD + text if _LEADING.match(text) else text


def plain(text: str) -> str:
    """The text of a cell without that apostrophe: `plain(guarded(x))` is `x` for every text."""
    return text.removeprefix(GUARD)


def written(text: str) -> str:
    """A text as every kind of file can hold it and gives it back.

    Line breaks of one kind, lines without spaces around them, no control characters, nothing that XML has
    no sign for; at most `LONGEST` characters.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    whole = "\n".join("".join(map(_kept, line)).strip() for line in lines).strip()
    return whole if len(whole) <= LONGEST else whole[: LONGEST - 1].rstrip() + "…"


def _kept(character: str) -> str:
    if character.isspace():
        return " "
    nothing = unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff\ufeff"
    return "" if nothing else character
