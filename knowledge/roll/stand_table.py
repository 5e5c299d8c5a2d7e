"""The places and units that a roll file names, each with a number, and the rows that each unit has."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from knowledge.roll.columns import Status
from knowledge.roll.duplicates import STAND, Act
from knowledge.roll.package import LONGEST_HEADER
from knowledge.roll.row_check import Stand

MOST_PLACES: Final = 40_000
NOWHERE: Final = 0xFFFF_FFFF
"""In place of a number, for a place that finds no room in a package's header."""
_ROOM: Final = LONGEST_HEADER - 100_000

Array = NDArray[Any]
Place = tuple[str, str, str]


@dataclass
class UnitCounts:
    """The rows of one unit. `left_out` are those that are only counted, by what their word means.

    `repeats` and `doubles` were taken and dropped again: a row like another one, or one of the same person.
    """

    registered: int = 0
    ask_station: int = 0
    repeats: int = 0
    doubles: int = 0
    refused: int = 0
    left_out: Counter[Status] = field(default_factory=Counter)

    @property
    def taken(self) -> int:
        """Rows in which nothing is wrong and that are carried."""
        return self.registered + self.ask_station + self.repeats + self.doubles

    @property
    def read(self) -> int:
        """All rows: each is in one of the sums."""
        return self.taken + self.refused + self.left_out.total()


class StandTable:
    """Numbers for what comes as words, in the order of its coming. Unit 0 is that of rows that name none."""

    def __init__(self) -> None:
        self.units: list[str] = [""]
        self.places: list[Place] = []
        self._unit_at: dict[str, int] = {"": 0}
        self._place_at: dict[Place, int] = {}
        self._district_at: dict[str, int] = {}
        self._stand_at: dict[Stand, int] = {}
        self._rows: list[tuple[int, int, int, int]] = []
        self._counts: dict[int, UnitCounts] = {}
        self._taken: Counter[int] = Counter()
        self._room = _ROOM

    def numbers(self, stands: Sequence[Stand]) -> Array:
        """The number of each stand; `NOWHERE` for those whose place finds no room."""
        return np.array([self._number(stand) for stand in stands], np.uint32)

    def unit_numbers(self, units: Iterable[str]) -> Array:
        """The number of each unit."""
        return np.array([self._unit(unit) for unit in units], np.uint32)

    def count(self, stands: Array, taken: Array, left_out: Array, stand_words: Sequence[Stand]) -> None:
        """Count the rows of a block, by stand; `stands` are their numbers."""
        for number, took, left, stand in zip(
            stands.tolist(), taken.tolist(), left_out.tolist(), stand_words, strict=True
        ):
            if took and number != NOWHERE:
                self._taken[number] += took
            if left and stand.status:
                self._of(self._unit(stand.unit)).left_out[stand.status] += left

    def refuse(self, units: Array, rows: Array) -> None:
        """Count refused rows, by the number of their unit."""
        for unit, count in zip(units.tolist(), rows.tolist(), strict=True):
            self._of(unit).refused += count

    def packed(self) -> Array:
        """What is to be known of each stand (`duplicates.STAND`)."""
        return np.array(self._rows, STAND)

    def settle(self, acts: Array, registered: Array) -> None:
        """Count what became of the rows taken: `acts` on doubles, and how many are registered, by stand."""
        size = len(self._rows)
        dropped = [
            np.bincount(acts["stand"][acts["act"] == act], minlength=size).tolist()
            for act in (Act.REPEAT, Act.DOUBLE)
        ]
        for stand, (_, _, unit, _) in enumerate(self._rows):
            one, repeats, doubles = self._of(unit), dropped[0][stand], dropped[1][stand]
            one.repeats += repeats
            one.doubles += doubles
            one.registered += int(registered[stand])
            one.ask_station += self._taken[stand] - repeats - doubles - int(registered[stand])

    def by_unit(self) -> dict[str, UnitCounts]:
        """The counts of every unit that has rows, in the order of the file; "" for rows that name none."""
        return {self.units[unit]: one for unit, one in sorted(self._counts.items()) if one.read}

    def _number(self, stand: Stand) -> int:
        found = self._stand_at.get(stand)
        if found is None:
            place, district = 0, 0
            if stand.place is not None:
                place = self._place(stand.place)
                if place == NOWHERE:
                    return NOWHERE
                district = self._district_at.setdefault(stand.place[0], len(self._district_at))
            found = self._stand_at[stand] = len(self._rows)
            self._rows.append((place, district, self._unit(stand.unit), stand.mark))
        return found

    def _place(self, place: Place) -> int:
        found = self._place_at.get(place)
        if found is None:
            self._room -= len(json.dumps(place, ensure_ascii=False).encode()) + 1
            if self._room < 0 or len(self.places) >= MOST_PLACES:
                return NOWHERE
            found = self._place_at[place] = len(self.places)
            self.places.append(place)
        return found

    def _unit(self, unit: str) -> int:
        found = self._unit_at.get(unit)
        if found is None:
            found = self._unit_at[unit] = len(self.units)
            self.units.append(unit)
        return found

    def _of(self, unit: int) -> UnitCounts:
        found = self._counts.get(unit)
        if found is None:
            found = self._counts[unit] = UnitCounts()
        return found
