"""What a roll file's rows are found to have: three sorts, kept apart, by row number and never by value."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray


class Sort(StrEnum):
    """错登, 重登 and 存疑: rows that are wrong, rows that stand twice, rows somebody should look at."""

    WRONG = auto()
    DOUBLE = auto()
    DOUBTFUL = auto()


class Fault(StrEnum):
    """What is the matter with a row. Its words stand under `roll_row.` and this."""

    # Wrong: the row is not taken.
    SHAPE = auto()
    REGION = auto()
    BIRTH = auto()
    CHECK = auto()
    NUMERIC = auto()
    NAME = auto()
    PRIVATE = auto()
    PLACEHOLDER = auto()
    UNREADABLE = auto()
    STATUS = auto()
    UNIT = auto()
    DISTRICT = auto()
    GROUP = auto()
    STATION = auto()
    PLACES = auto()
    # Wrong, and both rows are taken as 请到登记站核实, for one of them may be right.
    NAMES = auto()
    # Double: taken once, as 请到登记站核实.
    WITHIN = auto()
    ACROSS = auto()
    # Doubtful: the first as it stands, the others as 请到登记站核实.
    OLD_FORM = auto()
    UNDER_AGE = auto()
    OTHER_STATUS = auto()


FAULTS: Final = tuple(Fault)
_SORTS: Final = {
    **dict.fromkeys(Fault, Sort.WRONG),
    **dict.fromkeys((Fault.WITHIN, Fault.ACROSS), Sort.DOUBLE),
    **dict.fromkeys((Fault.OLD_FORM, Fault.UNDER_AGE, Fault.OTHER_STATUS), Sort.DOUBTFUL),
}
NUMBERS: Final = {fault: number for number, fault in enumerate(FAULTS)}
PACKED: Final = np.dtype([("row", "<u4"), ("other", "<u4"), ("unit", "<u4"), ("fault", "u1")])
"""One finding as it is kept: rows as spreadsheets count them, 0 for no other; the unit by its number."""

Packed = NDArray[Any]


def sort_of(fault: Fault) -> Sort:
    """Under which of the three a fault is reported."""
    return _SORTS[fault]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `other_rows` are those it is found against; `unit` is "" where the row names none."""

    fault: Fault
    row: int
    other_rows: tuple[int, ...]
    unit: str

    @property
    def sort(self) -> Sort:
        """Wrong, double or doubtful."""
        return sort_of(self.fault)

    @property
    def key(self) -> str:
        """The wording key."""
        return f"roll_row.{self.fault}"


class Findings:
    """All findings of a build, in a file without a name, so that a file of bad rows costs no memory.

    Iterated by sort, then fault, then row; one fault's findings are in memory at a time, 13 bytes each.
    """

    def __init__(self, units: Sequence[str]) -> None:
        self._units = units
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self.counts: dict[Fault, int] = dict.fromkeys(Fault, 0)

    def add(self, found: Packed) -> None:
        """Keep these; `found` is an array of `PACKED`."""
        if len(found):
            self._file.write(found.tobytes())
            for number, count in enumerate(np.bincount(found["fault"], minlength=len(FAULTS)).tolist()):
                self.counts[FAULTS[number]] += count

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[Finding]:
        for sort in Sort:
            for fault in FAULTS:
                if sort_of(fault) is sort and self.counts[fault]:
                    yield from self._of(fault)

    def doubtful_rows(self) -> int:
        """How many rows have a doubtful finding, each counted once."""
        doubtful = [fault for fault in FAULTS if sort_of(fault) is Sort.DOUBTFUL and self.counts[fault]]
        rows = [self._packed(fault)["row"] for fault in doubtful]
        return len(np.unique(np.concatenate(rows))) if rows else 0

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _of(self, fault: Fault) -> Iterator[Finding]:
        found = self._packed(fault)
        for row, other, unit, _ in found[np.argsort(found["row"], kind="stable")]:
            others = (int(other),) if other else ()
            yield Finding(fault, int(row), others, self._units[unit])

    def _packed(self, fault: Fault) -> Packed:
        self._file.flush()
        self._file.seek(0)
        kept = []
        while content := self._file.read(PACKED.itemsize * 65_536):
            some = np.frombuffer(content, PACKED)
            kept.append(some[some["fault"] == NUMBERS[fault]])
        self._file.seek(0, 2)
        return np.concatenate(kept) if kept else np.empty(0, PACKED)


def packed(rows: Sequence[tuple[int, Fault, int]]) -> Packed:
    """Findings as (row, fault, number of the unit) in the form in which they are kept."""
    found = np.zeros(len(rows), PACKED)
    if rows:
        numbers, faults, units = zip(*rows, strict=True)
        found["row"], found["unit"] = numbers, units
        found["fault"] = [NUMBERS[fault] for fault in faults]
    return found
