"""Many rows of a roll file at a time: those that are plainly right are taken here, all others one by one.

A row is plainly right if it has as many cells as most have, its number is eighteen characters with the right
check character, a real birth date and a known region, and its other cells were met before and are right.
Names of the twenty thousand common characters (U+4E00 to U+9FFF, which NFKC leaves alone) are taken as they
are.
It decides nothing that `row_check` would decide otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from knowledge.roll.columns import Field
from knowledge.roll.digests import Digester
from knowledge.roll.identity import OLDEST, REGIONS, BadIdentity, read_name
from knowledge.roll.row_check import PLACE_FIELDS, RowCheck, Stand
from knowledge.roll.sources import clean

_LENGTH: Final = 18
_LONGEST: Final = 30
"""Bytes of a name that is read here: ten characters."""
_WIDEST: Final = 1000
_PADDING: Final = 64
_MOST_KEPT: Final = 100_000
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_TENS: Final = np.array([10**power for power in range(16, -1, -1)], np.uint64)
_ZERO, _BREAK, _RETURN, _JOINT = 48, 10, 13, 0x1F

Bytes = NDArray[np.uint8]
Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Quick:
    """A block's rows: `lines` in all; of those taken here row by row the line, stand, digest and number.

    `number` is the first seventeen digits; `stands` holds what the numbers in `stand` mean, `left_out` how
    many rows of each stand are not carried; `others` are the lines that are left to be read one by one.
    """

    lines: int
    line: Numbers
    stand: Numbers
    digests: Bytes
    number: NDArray[np.uint64]
    stands: list[Stand]
    left_out: Numbers
    others: Numbers
    begins: Numbers
    ends: Numbers


class QuickRows:
    """Rows of UTF-8 separated by the byte `delimiter`, a field in the cell that `at` says."""

    def __init__(self, check: RowCheck, digester: Digester, at: Mapping[Field, int], delimiter: int) -> None:
        self._check, self._digester = check, digester
        self._at, self._least, self._delimiter = at, max(at.values()) + 1, delimiter
        self._births, self._first_year = births(check.today, check.youngest)
        self._runs = _runs([at[field] for field in PLACE_FIELDS if field in at])
        self._keys: dict[Any, int] = {}
        self._stands: list[Stand | None] = []

    def read(self, block: bytes) -> Quick:
        """The rows of a block that ends with a line break and holds no cell in quotation marks."""
        # Slices of fixed length may reach beyond the last cell.
        cells = _Cells(block, self._delimiter, self._least)
        number_at, length = cells.of(self._at[Field.NUMBER])
        number = sliding_window_view(cells.bytes, _LENGTH)[number_at]
        right, values = self._numbers(number, length)
        name_at, name_length = cells.of(self._at[Field.NAME])
        stand = self._stand_of(block, cells)
        kinds = np.array([_kind(found) for found in self._stands], np.int8)[stand]
        taken = []
        for size in np.unique(name_length[right]).tolist():
            if size % 3 or not 0 < size <= _LONGEST:
                continue
            rows = np.flatnonzero(right & (name_length == size) & (kinds == 1))
            names = sliding_window_view(cells.bytes, size)[name_at[rows]]
            common = _common(names)
            rows, names = rows[common], names[common]
            taken.append((rows, self._digests(names, number[rows])))
        carried = right & (kinds == 1)
        for rows, _ in taken:
            carried[rows] = False
        taken.append(self._with_other_names(block, name_at, name_length, number, np.flatnonzero(carried)))
        rows = np.concatenate([rows for rows, _ in taken])
        digests = np.concatenate([found for _, found in taken])
        away = kinds == 2
        left = ~away
        left[rows] = False
        used, stand = np.unique(np.concatenate((stand[rows], stand[away])), return_inverse=True)
        others = np.ones(cells.lines, bool)
        others[cells.regular[~left]] = False
        return Quick(
            lines=cells.lines, line=cells.regular[rows], stand=stand[: len(rows)], digests=digests,
            number=values[rows], stands=[self._stands[number] or _NOWHERE for number in used.tolist()],
            left_out=np.bincount(stand[len(rows) :], minlength=len(used)),
            others=np.flatnonzero(others), begins=cells.begins, ends=cells.ends,
        )  # fmt: skip

    def _numbers(self, number: Bytes, length: Numbers) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
        """Which are plainly right, and their first seventeen digits as one number."""
        right = length == _LENGTH
        digits = np.ascontiguousarray(number.T) - np.uint8(_ZERO)
        right &= (digits[:-1] < 10).all(axis=0)
        total = np.zeros(len(number), np.uint16)
        for weight, column in zip(_WEIGHTS, digits[:-1], strict=True):
            total += column * np.uint8(weight)
        right &= _CHECKS[total % 11] == number[:, -1]
        right &= _REGIONS[np.minimum(digits[0], 9).astype(np.intp) * 10 + np.minimum(digits[1], 9)]
        values = np.zeros(len(number), np.uint64)
        for power, column in zip(_TENS, digits[:-1], strict=True):
            values += column * power
        day = values // np.uint64(1000) % np.uint64(10**8) - np.uint64(self._first_year * 10_000)
        # Before the first year the difference has wrapped around, and is large.
        known = day < len(self._births)
        right &= known & self._births[np.where(known, day, 0).astype(np.intp)]
        return right, values

    def _with_other_names(
        self, block: bytes, begins: Numbers, lengths: Numbers, number: Bytes, rows: Numbers
    ) -> tuple[Numbers, Bytes]:
        """Those of these rows whose names are right though not of common characters, and their digests."""
        named, messages = [], []
        for row in rows.tolist():
            try:
                name = read_name(clean(block[begins[row] : begins[row] + lengths[row]].decode()))
            except (BadIdentity, UnicodeDecodeError):
                continue
            named.append(row)
            messages.append(name.encode() + b"\x1f" + number[row].tobytes())
        return np.array(named, np.intp), self._digester.all(messages)

    def _digests(self, names: Bytes, number: Bytes) -> Bytes:
        count, size = names.shape
        whole = np.empty((count, size + 1 + _LENGTH), np.uint8)
        whole[:, :size], whole[:, size], whole[:, size + 1 :] = names, _JOINT, number
        # As byte strings: these lose zeros at their end, and the end is a digit or an X.
        return self._digester.all(whole.view(f"S{size + 1 + _LENGTH}").ravel().tolist())

    def _stand_of(self, block: bytes, cells: _Cells) -> Numbers:
        """Each row's stand, a number in `self._stands`."""
        if len(self._stands) > _MOST_KEPT:
            self._keys, self._stands = {}, []
        slices = [
            [block[begin:end] for begin, end in zip(*cells.between(first, last), strict=True)]
            for first, last in self._runs
        ]
        keys: list[Any] = slices[0] if len(slices) == 1 else list(zip(*slices, strict=True))
        get = self._keys.get
        found = np.array([get(key, -1) for key in keys], np.intp)
        for row in np.flatnonzero(found < 0).tolist():
            number = self._keys.get(keys[row])
            if number is None:
                number = self._keys[keys[row]] = len(self._stands)
                self._stands.append(self._read(block, cells, row))
            found[row] = number
        return found

    def _read(self, block: bytes, cells: _Cells, row: int) -> Stand | None:
        texts = []
        for field in PLACE_FIELDS:
            begin, end = cells.one(self._at[field], row) if field in self._at else (0, 0)
            try:
                texts.append(block[begin:end].decode())
            except UnicodeDecodeError:
                return None
        return self._check.stand(tuple(texts))


class _Cells:
    """Where the cells of a block begin and end, for those lines that have as many as most lines have."""

    def __init__(self, block: bytes, delimiter: int, least: int) -> None:
        self.bytes = np.frombuffer(block + bytes(_PADDING), np.uint8)
        marks = np.flatnonzero((self.bytes == delimiter) | (self.bytes == _BREAK))
        breaks = np.flatnonzero(self.bytes[marks] == _BREAK)
        self.ends = marks[breaks]
        self.begins = np.concatenate(([0], self.ends[:-1] + 1))
        self.lines = len(breaks)
        widths = np.diff(breaks, prepend=-1)
        width = max(least, int(np.bincount(np.minimum(widths, _WIDEST)).argmax()))
        self.regular = np.flatnonzero(widths == width)
        if len(self.regular) == self.lines:
            self._marks = marks.reshape(-1, width)
        else:
            self._marks = marks[(breaks[self.regular] - (width - 1))[:, None] + np.arange(width)]
        last = self._marks[:, -1]
        self._last = last - (self.bytes[last - 1] == _RETURN)

    def of(self, column: int) -> tuple[Numbers, Numbers]:
        """Where a column's cells begin, and how long they are."""
        begin = self._begin(column)
        return begin, self._end(column) - begin

    def between(self, first: int, last: int) -> tuple[list[int], list[int]]:
        """From the beginning of one column's cells to the end of another's."""
        return self._begin(first).tolist(), self._end(last).tolist()

    def one(self, column: int, row: int) -> tuple[int, int]:
        """Where one cell begins and ends."""
        begin = self._marks[row, column - 1] + 1 if column else self.begins[self.regular[row]]
        return int(begin), int(self._end(column)[row])

    def _begin(self, column: int) -> Numbers:
        return self._marks[:, column - 1] + 1 if column else self.begins[self.regular]

    def _end(self, column: int) -> Numbers:
        return self._last if column == self._marks.shape[1] - 1 else self._marks[:, column]


def births(today: date, youngest: int) -> tuple[NDArray[np.bool_], int]:
    """Whether somebody may be born on a day and be of age, by the day's digits after a first year's.

    Returns the table and the first year. The rule is that of `identity.born`.
    """
    first = today.year - OLDEST
    days = np.arange(np.datetime64(f"{first}-01-01"), np.datetime64(today) + 1)
    months = days.astype("M8[M]")
    years = days.astype("M8[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days - months).astype(np.int64) + 1
    number = years * 10_000 + month * 100 + day
    table = np.zeros((OLDEST + 1) * 10_000, bool)
    table[number[number <= youngest] - first * 10_000] = True
    return table, first


_NOWHERE: Final = Stand("", None, None)
_REGIONS: Final = np.array([f"{code:02}" in REGIONS for code in range(100)])
_CHECKS: Final = np.frombuffer(b"10X98765432", np.uint8)


def _kind(stand: Stand | None) -> int:
    """0 for what is read one by one, 1 for what is carried, 2 for what is only counted."""
    if stand is None or stand.faults:
        return 0
    return 2 if stand.left_out else 1


def _common(names: Bytes) -> NDArray[np.bool_]:
    """Which names are three-byte characters from U+4E00 to U+9FFF, and nothing else."""
    first, second, third = (names[:, part::3] for part in range(3))
    found = (first >= 0xE4) & (first <= 0xE9) & (second >> 6 == 2) & (third >> 6 == 2)
    found &= (first > 0xE4) | (second >= 0xB8)
    return np.asarray(found.all(axis=1))


def _runs(columns: list[int]) -> list[tuple[int, int]]:
    """Columns side by side as one slice each, from the first to the last."""
    found: list[tuple[int, int]] = []
    for column in sorted(columns):
        if found and found[-1][1] == column - 1:
            found[-1] = found[-1][0], column
        else:
            found.append((column, column))
    return found
