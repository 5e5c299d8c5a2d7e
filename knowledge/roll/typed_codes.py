"""Receipt codes as people type them: alone or among words, full width, with gaps, mistyped.

This is not validation. A code must not be kept, and neither must one with a slip of the finger: from nine of
its symbols anybody works out the tenth. So what is meant as a code is taken out of the words, right or wrong;
`receipts.read_code` tells afterwards whether it can be one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from knowledge.roll import receipts
from office.errors import Invalid

PLACEHOLDER = "［回执码已隐去］"
LONGEST_ALONE = 24
_NAMED = "回执"
_GAP = r"(?: ?- ?| {1,3})"
_APART = r"(?<![0-9A-Z_])(?<![0-9A-Z]-)"
_ENDS = r"(?![0-9A-Z_])(?!-[0-9A-Z])"
_CODE = re.compile(rf"{_APART}[0-9A-Z]{{4}}{_GAP}?[0-9A-Z]{{4}}{_GAP}?[0-9A-Z]{{2}}{_ENDS}")
# One symbol lost or one too many; or, where 回执 is named beside it, two.
_NEARLY = re.compile(
    rf"{_APART}(?:[0-9A-Z]{{9,11}}|[0-9A-Z]{{3,5}}-[0-9A-Z]{{3,5}}-[0-9A-Z]{{1,3}}"
    rf"|[0-9A-Z]{{4,5}}-[0-9A-Z]{{4,6}}){_ENDS}"
)
_ROUGHLY = re.compile(rf"{_APART}[0-9A-Z](?:-?[0-9A-Z]){{7,11}}{_ENDS}")
_ALONE = re.compile(r"[0-9A-Z](?:[ -]{0,3}[0-9A-Z]){5,13}")
# The number of a ticket without its hyphens: district, month and day, serial, check letter.
_TICKET = re.compile(r"[A-Z]{2,4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{2,5}[A-Z]")
# As much of a word as pinyin and English have: haoma, vote.
_WORDLIKE = re.compile(r"(?=[A-Z]*[AEIOU])[A-Z]{4,}")
_SWITCH = re.compile(r"(?<=[0-9])(?=[A-Z])|(?<=[A-Z])(?=[0-9])")
# vote 2026 in: words and a number, each for itself.
_SWITCHED_WORDS = re.compile(r"(?:[A-Z]+|[0-9]+)(?: (?:[A-Z]+|[0-9]+))+")
_MANY_SWITCHES = 3


@dataclass(frozen=True)
class Typed:
    """Words in which codes were found: the first of them as it was typed, and the words without any."""

    code: str = field(repr=False)
    text: str


def find(words: str) -> Typed | None:
    """What is meant as a receipt code anywhere in `words`; None where nothing is.

    Dates, group, entry and ticket numbers are none; nor is pinyin with a number in it.
    """
    symbols, places = _folded(words)
    whole = symbols.strip()
    spans = list(_spans(symbols, whole))
    if not spans:
        return None
    first, end = spans[0]
    pieces, kept = [], 0
    for start, stop in spans:
        pieces += [words[kept : places[start]], PLACEHOLDER]
        kept = places[stop - 1] + 1
    return Typed(symbols[first:end], "".join([*pieces, words[kept:]]))


def alone(words: str) -> Typed | None:
    """The same for words that were asked for as a code: letters and digits alone are meant so."""
    symbols = _folded(words)[0].strip() if len(words) <= LONGEST_ALONE else ""
    bare = _bare(symbols)
    if not _ALONE.fullmatch(symbols) or _TICKET.fullmatch(bare):
        return None
    meant = re.search("[0-9]", bare) or "-" in symbols or len(bare) == receipts.LENGTH
    return Typed(symbols, PLACEHOLDER) if meant else None


def _spans(symbols: str, whole: str) -> Iterator[tuple[int, int]]:
    named = _NAMED in symbols
    meant = [
        found.span()
        for pattern, is_meant in ((_CODE, _is_code), (_NEARLY, _is_nearly), (_ROUGHLY, _is_roughly))
        for found in pattern.finditer(symbols)
        if is_meant(found.group(), alone=found.group() == whole, named=named)
    ]
    end = 0
    for span in sorted(meant, key=lambda span: (span[0], -span[1])):
        if span[0] >= end:
            yield span
            end = span[1]


def _is_code(found: str, *, alone: bool, named: bool) -> bool:
    bare = _bare(found)
    letters = re.sub("[0-9]", "", bare)
    right = _is_right(bare)
    if _TICKET.fullmatch(bare):
        return named or found.count("-") == 2
    if not letters:
        # Ten digits are a telephone number or a date, unless they stand as a code does.
        return alone and found.count("-") == 2
    if found.count("-") == 2:
        return letters != "X" or not bare.endswith("X") or alone
    spaced = " " in found
    if letters == bare:
        # No printed code has an I or an O, and hardly a word of ten letters does without both.
        return named or (right and not re.search("[IO]", bare) and (alone or not spaced))
    if letters == "X" and bare.endswith("X") and not (alone or named):
        # It may be the end of somebody's identity number.
        return False
    if named or (right and (alone or not spaced)):
        return True
    if spaced and (_SWITCHED_WORDS.fullmatch(found) or found.count(" ") < 2):
        return False
    return right or len(_SWITCH.findall(bare)) >= _MANY_SWITCHES or (alone and not spaced)


def _is_nearly(found: str, *, alone: bool, named: bool) -> bool:
    bare = _bare(found)
    if len(bare) not in (9, 11) or not _mixed(bare) or _TICKET.fullmatch(bare):
        return False
    if found.count("-") == 2:
        return alone or any(_mixed(group) for group in found.split("-"))
    switches = len(_SWITCH.findall(bare))
    return switches >= _MANY_SWITCHES or (alone and (switches > 1 or not _WORDLIKE.search(found)))


def _is_roughly(found: str, *, alone: bool, named: bool) -> bool:
    return named and _mixed(_bare(found)) and not _TICKET.fullmatch(_bare(found))


def _mixed(bare: str) -> bool:
    return bool(re.search("[0-9]", bare) and re.search("[A-Z]", bare))


def _is_right(bare: str) -> bool:
    try:
        receipts.read_code(bare)
    except Invalid:
        return False
    return True


def _bare(found: str) -> str:
    return found.replace("-", "").replace(" ", "")


def _folded(words: str) -> tuple[str, list[int]]:
    """The words in capitals and half width, dashes and spaces each of one kind, and where each stood."""
    symbols: list[str] = []
    places: list[int] = []
    for place, raw in enumerate(words):
        if unicodedata.category(raw) == "Cf":
            continue
        for symbol in unicodedata.normalize("NFKC", raw).upper():
            dash = unicodedata.category(symbol) == "Pd" or symbol in "\u2212\u30fc"
            symbols.append("-" if dash else " " if symbol.isspace() else symbol)
            places.append(place)
    return "".join(symbols), places
