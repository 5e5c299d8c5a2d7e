"""Reading the cells of a station's row: each gives a value, or says in one word why it gives none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, time
from functools import cache
from typing import Any, Final

from knowledge import lint, station_hours
from knowledge.station_files import Cell
from knowledge.station_hours import BadHours
from knowledge.station_nearest import is_position
from knowledge.station_words import data
from knowledge.stations import StationKind
from knowledge.text import plain
from office.units import group_key

# As long as the columns of the table are.
LIMITS: Final = {
    "name": 80, "unit": 80, "neighbourhood": 80, "address": 200, "near": 200, "directions": 200, "phone": 40,
    "note": 1000,
}  # fmt: skip
NEEDED: Final = frozenset({"name", "unit", "address"})
_SHOWN: Final = 40
_DASHES: Final = re.compile(r"[‐-―−－﹣~～]")
_GROUP: Final = re.compile(r"([0-9]{1,3})-([0-9]{1,3})", re.ASCII)
_BETWEEN: Final = re.compile(r"[\s、，,；;/]+")
_PHONE: Final = re.compile(
    r"(?:\+?86[ -]?)?(?:\(?0[0-9]{2,3}\)?[ -]?)?[0-9]{5,8}|(?:\+?86[ -]?)?1[0-9]{2}[ -]?[0-9]{4}[ -]?[0-9]{4}"
    r"|[48]00[ -]?[0-9]{3}[ -]?[0-9]{4}"
)
_EXTENSION: Final = re.compile(r" ?(?:转|分机|ext\.?|-)? ?[0-9]{1,5}", re.IGNORECASE)
_MOBILE: Final = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
_DEGREES: Final = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,17})?", re.ASCII)


class BadCell(ValueError):
    """A cell that gives no value; `reason` is a wording key behind `station_fault.`."""

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.reason, self.facts = reason, facts


def text(name: str, cell: Cell) -> str:
    """A text of the field `name`, on one line but for notes."""
    words = _words(cell)
    if name != "note":
        words = " ".join(words.split("\n"))
    if not words and name in NEEDED:
        raise BadCell("missing")
    if len(words) > LIMITS[name]:
        raise BadCell("too_long", limit=LIMITS[name])
    # A note outlives the days it names, and is shown as it stands.
    for problem in lint.in_texts((words,), variables=()) if name == "note" else ():
        raise BadCell(problem.key, **problem.facts)
    return words


def kind(cells: Mapping[str, Cell]) -> str:
    """Registration or polling; without such a column registration."""
    if "kind" not in cells:
        return StationKind.REGISTRATION.value
    words = _words(cells["kind"])
    found = _kinds().get(plain(words))
    if found is None:
        raise BadCell("kind_unknown", value=words[:_SHOWN]) if words else BadCell("missing")
    return found


def code(cell: Cell) -> str:
    """A station's code, `12-03`."""
    if not isinstance(cell, str):
        raise BadCell("code_date", value=_words(cell))
    words = _folded(cell)
    if not words:
        raise BadCell("missing")
    found = _GROUP.fullmatch(words)
    if found is None:
        raise BadCell("code_bad", value=cell[:_SHOWN])
    return f"{found[1].zfill(2)}-{found[2].zfill(2)}"


def groups(cell: Cell) -> list[str]:
    """The group numbers of a cell, each once."""
    if not isinstance(cell, str):
        raise BadCell("code_date", value=_words(cell))
    found: dict[tuple[int, int], str] = {}
    for piece in filter(None, _BETWEEN.split(cell.strip())):
        number = _GROUP.fullmatch(_folded(piece).removesuffix("组"))
        if number is None:
            raise BadCell("group_bad", value=piece[:_SHOWN])
        group = f"{number[1].zfill(2)}-{number[2].zfill(2)}"
        found.setdefault(group_key(group), group)
    return list(found.values())


def hours(cells: Mapping[str, Cell], today: date) -> list[dict[str, Any]]:
    """The rows of hours, from one cell or from days, weekdays and times in cells of their own."""
    words = _words(cells.get("hours", ""))
    if not words:
        first, last, weekdays, times = (
            _words(cells.get(name, "")) for name in ("opens_from", "opens_to", "weekdays", "times")
        )
        days = f"{first}至{last}" if first and last else first or last
        words = " ".join(filter(None, (days, weekdays, times)))
    if not words:
        raise BadCell("hours_missing")
    try:
        return station_hours.read(words, today)
    except BadHours as error:
        raise BadCell(error.reason, value=error.value[:_SHOWN]) from error


def phone(cell: Cell) -> str:
    """A telephone number or several, as they are written; empty without one."""
    words = text("phone", cell)
    for piece in filter(None, re.split(r"[、，,；;/]|\s{2,}|\s(?=0[0-9]{2,3}-)", _folded(words))):
        found = _PHONE.match(piece.strip())
        rest = piece.strip()[found.end() :] if found else piece
        if found is None or (rest and not _EXTENSION.fullmatch(rest)):
            raise BadCell("phone_bad", value=words[:_SHOWN])
    return words


def is_mobile(words: str) -> bool:
    """Whether a mobile number stands among the telephone numbers: perhaps somebody's own."""
    return bool(_MOBILE.search(re.sub(r"[ -]", "", _folded(words))))


def access(cell: Cell) -> list[str]:
    """Codes of accessibility facts; what has no code stays in the office's words."""
    known = _access()
    pieces = filter(None, _BETWEEN.split(_words(cell)))
    return list(dict.fromkeys(known.get(plain(piece), piece[:_SHOWN]) for piece in pieces))


def position(cells: Mapping[str, Cell]) -> tuple[float | None, float | None]:
    """Latitude and longitude in degrees, to a tenth of a metre; neither without both cells."""
    latitude, longitude = _words(cells.get("latitude", "")), _words(cells.get("longitude", ""))
    if not latitude and not longitude:
        return None, None
    if not latitude or not longitude:
        raise BadCell("position_half")
    pair = [_DEGREES.fullmatch(unicodedata.normalize("NFKC", words)) for words in (latitude, longitude)]
    if not all(pair):
        raise BadCell("position_bad", value=f"{latitude}，{longitude}"[:_SHOWN])
    first, second = (round(float(found[0]), 6) for found in pair if found)
    if not is_position(first, second):
        raise BadCell("position_turned" if is_position(second, first) else "position_bad",
                      value=f"{latitude}，{longitude}"[:_SHOWN])  # fmt: skip
    return first, second


def _words(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell.strip()
    return f"{cell.hour}:{cell.minute:02}" if isinstance(cell, time) else cell.isoformat()


def _folded(words: str) -> str:
    return _DASHES.sub("-", unicodedata.normalize("NFKC", words)).strip()


@cache
def _kinds() -> Mapping[str, str]:
    return {plain(word): kind for kind, words in data()["kinds"].items() for word in words}


@cache
def _access() -> Mapping[str, str]:
    return {plain(word): code for code, words in data()["access"].items() for word in words}
