"""Ticket number and progress code in what somebody types: anywhere in a sentence, in any order."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ticketing import numbers

# A message longer than this tells something, whatever number stands in it; with the code it asks.
SHORT, LONG = 40, 200
_RUN = re.compile(r"(?<![0-9A-Z\-])[0-9A-Z](?:-?[0-9A-Z]){3}(?![0-9A-Z\-])")
# What was meant as a number, with a wrong letter or digit.
_LIKE_A_NUMBER = re.compile(r"(?<![0-9A-Z])[A-Z]{2,4}[ \-]{0,3}[0-9]{4}[ \-]{0,3}[0-9]{2}")
_LABELLED = re.compile(r"(?:查询码|查询号|验证码|CODE|KEY)[^0-9A-Z]{0,4}$")
_FORM = re.compile(rf"[{numbers.PROGRESS_ALPHABET}]{{{numbers.PROGRESS_LENGTH}}}")
# What may stand around a code that is sent for nothing but to be looked up.
_AROUND = re.compile(
    r"请|麻烦|帮我|帮忙|我想|我要|查询码|查询号|查询|查一下|查一查|查下|查查|查看|查|看一下|看看|看"
    r"|我的|进度|一下|是|为|的|码|CODE|MY|MINE"
)
_ASKS = re.compile(r"查|进度|答复|回复|回音|结果|到哪|怎么样|办好|办完|处理|PROGRESS|STATUS|ANSWER")
_ADDS = re.compile(r"补充|更正|说明一下")
_VOWEL = re.compile(r"[aeiou]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The ticket that a message asks about, as far as the message says.

    `codes` are what has the form of a progress code, the likeliest last. `bare`: nothing else is said.
    `asks`: how far something is. `meant`: nobody would write the likeliest of `codes` but as a code.
    `misread`: a number stands there that is none.
    """

    number: str | None
    codes: tuple[str, ...]
    bare: bool
    asks: bool
    meant: bool
    misread: bool


def read(text: str) -> Wanted | None:
    """What a message says of a ticket; None where it has neither number nor code, or tells a story."""
    if len(text) > LONG or _ADDS.search(text):
        return None
    number = numbers.find_ticket_no(text)
    tidy = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    rest = _without(number, tidy)
    found = [run for run in _RUN.finditer(rest.upper()) if _FORM.fullmatch(numbers.normalise_code(run[0]))]
    found.sort(key=lambda run: _likely(rest, run))
    if (number is None and not found) or (len(text) > SHORT and not (number and found)):
        return None
    left = _AROUND.sub("", _RUN.sub(" ", rest.upper()))
    return Wanted(
        number=number,
        codes=tuple(numbers.normalise_code(run[0]) for run in found),
        bare=not any(char.isalnum() for char in left),
        asks=_ASKS.search(rest.upper()) is not None,
        meant=bool(found) and _meant(rest, found[-1]),
        misread=number is None and _LIKE_A_NUMBER.search(rest.upper()) is not None,
    )


def _without(number: str | None, text: str) -> str:
    if number is None:
        return text
    written = r"[^0-9A-Za-z]{0,3}".join(re.escape(part) for part in number.split("-"))
    return re.sub(written, " ", text, flags=re.IGNORECASE)


def _likely(text: str, run: re.Match[str]) -> tuple[bool, bool, int]:
    labelled = _LABELLED.search(text[: run.start()].upper()) is not None
    return labelled, not run[0].replace("-", "").isdigit() and _meant(text, run), run.start()


def _meant(text: str, run: re.Match[str]) -> bool:
    # shei is pinyin, wifi a word, 2026 a year and 12-03 a station; CRFZ, crfz and 6y8a are nothing else.
    typed = text[run.start() : run.end()].replace("-", "")
    if typed.isdigit():
        return _LABELLED.search(text[: run.start()].upper()) is not None
    return typed.isupper() or any(char.isdigit() for char in typed) or not _VOWEL.search(typed)
