"""Files of stations hold no persons: one that looks as if it did is refused before anything is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from knowledge.station_files import Cell, Table
from knowledge.station_words import data
from knowledge.text import plain
from office.errors import Invalid
from office.redact import has_id_number

_SHOWN: Final = 20
_LIKE_NAMES: Final = 0.6
_ENOUGH: Final = 3
_NAME: Final = re.compile(r"[一-鿿]{2,4}|[一-鿿]{1,6}·[一-鿿]{1,8}")
# As few digits as an identity number that lost some can have.
_DIGITS: Final = 14


def refuse_persons(table: Table) -> None:
    """Raise `Invalid` if a column or a cell of the file looks like data about persons."""
    for name, values in table.others.items():
        if plain(name) in _persons():
            raise Invalid("station_file.persons", column=name[:_SHOWN])
        if _looks_like_names(values):
            raise Invalid("station_file.persons", column=name[:_SHOWN])
        if any(map(is_identity, values)):
            raise Invalid("station_file.identity", column=name[:_SHOWN])
    for number, cells in table.rows:
        for field, cell in cells.items():
            if is_identity(cell):
                raise Invalid("station_file.identity_row", row=number, column=table.headings[field][:_SHOWN])


def is_identity(cell: Cell) -> bool:
    """Whether an identity number stands in a cell."""
    if not isinstance(cell, str) or len(cell) <= _DIGITS:
        return False
    return sum(character.isnumeric() for character in cell) >= _DIGITS and has_id_number(cell)


def _looks_like_names(values: Sequence[str]) -> bool:
    alike = sum(bool(_NAME.fullmatch(value)) and value[0] in data()["surnames"] for value in values)
    return len(values) >= _ENOUGH and alike >= _LIKE_NAMES * len(values)


@cache
def _persons() -> frozenset[str]:
    return frozenset(map(plain, data()["persons"]))
