"""The print list of receipt codes: whose code is whose, for printing, cutting and sealing alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from knowledge.roll import row_blocks
from knowledge.roll.columns import BadCell, Columns, Field
from knowledge.roll.receipts import written
from knowledge.roll.row_check import PLACE_FIELDS, picked
from knowledge.roll.sources import Table, clean
from office.cells import guarded
from office.words import CHINESE, say

A_SHEET: Final = 1_000_000
_COLUMNS: Final = (
    ("roll_report.row", 10), ("roll_slips.name", 24), ("roll_report.unit", 20), ("roll_slips.group", 12),
    ("roll_slips.code", 20),
)  # fmt: skip
_HEADINGS: Final = 2


@dataclass(frozen=True, slots=True)
class Slip:
    """What is printed for one person."""

    row: int
    name: str
    unit: str
    group: str
    code: str


def slips(table: Table, columns: Columns, receipts: Iterable[tuple[int, str]]) -> Iterator[Slip]:
    """The slips of those (row, code) by row, with names and groups read from the file once more."""
    codes = iter(receipts)
    wanted = next(codes, None)
    for row, cells in row_blocks.numbered(table):
        if wanted is None:
            return
        if row != wanted[0]:
            continue
        name, _, *place = picked(cells, table.columns)
        words = dict(zip(PLACE_FIELDS, map(clean, place), strict=True))
        try:
            found = columns.place(*(words[field] for field in PLACE_FIELDS if field is not Field.STATUS))
        except BadCell:
            found = None
        yield Slip(
            row,
            clean(name),
            found.unit if found else "",
            found.group if found else "",
            written(wanted[1]),
        )
        wanted = next(codes, None)


def write(path: Path, found: Iterable[Slip], language: str = CHINESE) -> int:
    """Write the list as a workbook and return how many it holds; `path` should be its owner's alone.

    All of it is made in memory, about 500 bytes a slip: a writer that puts rows aside leaves names on the
    disk if it is killed. Raises `OSError`.
    """
    try:
        return _write(path, found, language)
    except XlsxWriterException as error:
        raise OSError(str(error)) from error


def _write(path: Path, found: Iterable[Slip], language: str) -> int:
    count = 0
    with xlsxwriter.Workbook(path, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True})
        warning = book.add_format({"bold": True, "font_color": "red"})
        sheet: Any = None
        for count, slip in enumerate(found, start=1):
            at = (count - 1) % A_SHEET
            if at == 0:
                sheet = _sheet(book, bold, warning, language)
            sheet.write_number(at + _HEADINGS, 0, slip.row)
            for column, text in enumerate((slip.name, slip.unit, slip.group, slip.code), start=1):
                sheet.write_string(at + _HEADINGS, column, guarded(text))
        if sheet is None:
            _sheet(book, bold, warning, language)
    return count


def _sheet(book: Any, bold: Any, warning: Any, language: str) -> Any:
    sheet = book.add_worksheet()
    text = say("roll_slips.warning", language)
    sheet.write_string(0, 0, text, warning)
    for column, (key, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(1, column, say(key, language), bold)
    sheet.freeze_panes(_HEADINGS, 0)
    sheet.repeat_rows(0, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(9)
    sheet.hide_gridlines(0)
    sheet.set_footer(f"&C{text}  &P / &N")
    return sheet
