"""One row of a roll file, checked cell by cell: the reference that the quick way of many rows must equal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from knowledge.roll.columns import CARRIED, BadCell, Columns, Field, Status, plain
from knowledge.roll.findings import Fault
from knowledge.roll.identity import BadIdentity, read_name, read_number
from knowledge.roll.records import Mark
from knowledge.roll.sources import SCIENTIFIC, clean

ADULT: Final = 18
PLACE_FIELDS: Final = (
    Field.STATUS, Field.UNIT, Field.DISTRICT, Field.AREA, Field.GROUP, Field.STATION,
)  # fmt: skip
"""The cells that make up a `Stand`, in the order that `RowCheck.stand` takes them."""
FIELDS: Final = (Field.NAME, Field.NUMBER, *PLACE_FIELDS)
"""The cells of a row, in the order that `RowCheck.row` takes them; "" for a field the file has not."""
_MOST_KEPT: Final = 100_000
_REPLACED: Final = "\ufffd"
# What people type for a character that they cannot type.
_PLACEHOLDERS: Final = frozenset("?*□■〓＊？◇◆○●△▲×_")
# No district is called so, but a cell that slipped out of its column may be a person's number.
_LIKE_NUMBER: Final = re.compile(r"\d{7}")


@dataclass(frozen=True, slots=True)
class Stand:
    """What a row says of where and how somebody stands: all of it but name and number.

    `place` is (district, group, station), None unless it is carried in a package; `status` is None for a
    word that nobody knows; `faults` are those of these cells.
    """

    unit: str
    place: tuple[str, str, str] | None
    status: Status | None
    faults: tuple[Fault, ...] = ()

    @property
    def left_out(self) -> bool:
        """Whether the row is right and not carried, only counted."""
        return not self.faults and self.place is None

    @property
    def mark(self) -> int:
        """How a package marks the row."""
        return int(Mark.REGISTERED) if self.status is Status.REGISTERED else 0


@dataclass(frozen=True, slots=True)
class Row:
    """A checked row: `name` and `number` in their one form, "" in a row that is wrong."""

    stand: Stand
    name: str
    number: str
    wrong: tuple[Fault, ...]
    doubtful: tuple[Fault, ...]


class RowCheck:
    """The rules for one file. `today` is the day in Beijing; without an election day nobody is under age."""

    def __init__(self, columns: Columns, today: date, election_day: date | None) -> None:
        self.columns, self.today = columns, today
        # The latest birth date, as a number, of those who are eighteen on election day.
        self.youngest = _as_number(election_day) - ADULT * 10_000 if election_day else 99_999_999
        self._stands: dict[tuple[str, ...], Stand] = {}

    def row(self, cells: Sequence[str]) -> Row | None:
        """The cells in the order of `FIELDS`; None for a row in which all of them are empty."""
        if not any(map(str.strip, cells)):
            return None
        stand = self.stand(tuple(cells[2:]))
        if stand.left_out:
            return Row(stand, "", "", (), ())
        name, number = "", ""
        wrong, doubtful = list(stand.faults), []
        raw = clean(cells[1])
        try:
            number = read_number(raw, self.today)
        except BadIdentity as error:
            wrong.append(_of_number(error.key, raw))
        else:
            if len("".join(raw.split())) == 15:
                doubtful.append(Fault.OLD_FORM)
            if int(number[6:14]) > self.youngest:
                doubtful.append(Fault.UNDER_AGE)
        try:
            name = read_name(clean(cells[0]))
        except BadIdentity:
            wrong.append(_of_name(cells[0]))
        if wrong:
            return Row(stand, "", "", tuple(dict.fromkeys(wrong)), ())
        if Fault.UNDER_AGE in doubtful:
            stand = replace(stand, status=Status.ASK_STATION)
        return Row(stand, name, number, (), tuple(doubtful))

    def stand(self, cells: tuple[str, ...]) -> Stand:
        """What the cells of `PLACE_FIELDS` say. Kept, for a file has few that differ."""
        found = self._stands.get(cells)
        if found is None:
            if len(self._stands) >= _MOST_KEPT:
                self._stands.clear()
            found = self._stands[cells] = self._stand(*cells)
        return found

    def _stand(self, *cells: str) -> Stand:
        word, unit, district, area, group, station = map(clean, cells)
        status = self.columns.status(word)
        # An unknown word in the column of the unit may be anything, also a person's name.
        known = self.columns.units.get(plain(unit), "")
        faults = [] if status else [Fault.STATUS]
        place = None
        try:
            found = self.columns.place(unit, district, area, group, station)
        except BadCell as error:
            fault = Fault(error.key.removeprefix("roll_row."))
            # Who is not carried needs a unit to be counted in, and no group.
            if status in (None, *CARRIED) or fault is Fault.UNIT:
                faults.append(fault)
        else:
            if _LIKE_NUMBER.search(found.district) or _LIKE_NUMBER.search(found.station):
                faults.append(Fault.DISTRICT)
            elif status in CARRIED:
                place = (found.district, found.group, found.station)
        return Stand(known, None if faults else place, status, tuple(faults))


def picked(cells: Sequence[str], at: Mapping[Field, int]) -> list[str]:
    """A row's cells in the order of `FIELDS`; a row may be shorter than the heading."""
    size = len(cells)
    return [cells[at[field]] if field in at and at[field] < size else "" for field in FIELDS]


def _as_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _of_number(key: str, raw: str) -> Fault:
    if _REPLACED in raw:
        return Fault.UNREADABLE
    if SCIENTIFIC.fullmatch(raw):
        return Fault.NUMERIC
    return Fault(key.removeprefix("identity."))


def _of_name(raw: str) -> Fault:
    if _REPLACED in raw:
        return Fault.UNREADABLE
    if any(unicodedata.category(letter) == "Co" for letter in raw):
        return Fault.PRIVATE
    return Fault.PLACEHOLDER if _PLACEHOLDERS & set(raw) else Fault.NAME
