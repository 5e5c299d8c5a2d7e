"""Spreadsheets from outside: unpacked within limits, looked through, and only then given to the reader.

What the reader gets is packed anew from the parts that were looked at. An archive that unpacks to more than
it says, a cell so far out that the table would not fit into memory, entities and links to elsewhere: none of
it arrives there.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import IO, Any, Final
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from office.errors import Invalid

MOST_UNPACKED: Final = 120_000_000
MOST_PARTS: Final = 500
MOST_AREA: Final = 40_000_000
"""Cells of the rectangle that the table of a roll lies in: the reader keeps a place for each, used or not."""
_PIECE: Final = 1 << 20
_PARTS: Final = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/(?:workbook|styles|sharedStrings)\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/worksheets/[\w-]+\.xml"
)
_SHEET: Final = re.compile(r"xl/worksheets/")
_PLACE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})", re.ASCII)
_BLANK: Final = 10
"""Empty rows and columns that may stand around a table."""


@dataclass(frozen=True)
class Limits:
    """What a workbook may be.

    `roll` is for rolls, with refusals in words of their own: no formulas, and no table that is spread so far
    that it would fill the memory; they are large, so what is packed anew is compressed.
    """

    rows: int
    columns: int
    unpacked: int
    roll: bool = False

    def refusal(self, what: str, **facts: Any) -> Invalid:
        if self.roll:
            return Invalid(f"roll_file.{what}", **facts)
        return Invalid(f"station_file.{what}", **facts)


def rows(content: bytes, most_rows: int, most_columns: int) -> list[list[str | date | time]]:
    """The first visible sheet from its first row: texts, days and times; whole numbers without a point.

    Raises `Invalid` for what is no workbook, is larger than the limits, or holds what no table needs.
    """
    limits = Limits(most_rows, most_columns, MOST_UNPACKED)
    sheet, _ = first_sheet(io.BytesIO(content), limits)
    try:
        found = sheet.to_python(skip_empty_area=False)
    except (CalamineError, ValueError, OSError) as error:
        raise limits.refusal("unreadable") from error
    return [[_cell(value) for value in row] for row in found]


def first_sheet(source: IO[bytes], limits: Limits) -> tuple[CalamineSheet, list[str]]:
    """The first visible sheet, and the names of the other ones that are visible; raises `Invalid`."""
    clean = _repacked(source, limits)
    try:
        book = CalamineWorkbook.from_object(clean)
        names = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible
        ]
        if not names:
            raise limits.refusal("empty")
        return book.get_sheet_by_name(names[0]), names[1:]
    except (CalamineError, ValueError, OSError) as error:
        raise limits.refusal("unreadable") from error


def _repacked(source: IO[bytes], limits: Limits) -> io.BytesIO:
    target = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if limits.roll else zipfile.ZIP_STORED
    try:
        with (
            zipfile.ZipFile(source) as packed,
            zipfile.ZipFile(target, "w", method, compresslevel=1) as clean,
        ):
            for info in _parts(packed, limits):
                with packed.open(info) as part, clean.open(info.filename, "w") as copy:
                    _look_through(info.filename, part, copy, limits)
    except (
        zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, OverflowError
    ) as error:  # fmt: skip
        raise limits.refusal("unreadable") from error
    target.seek(0)
    return target


def _parts(packed: zipfile.ZipFile, limits: Limits) -> Iterator[zipfile.ZipInfo]:
    infos = packed.infolist()
    names = [info.filename for info in infos]
    if len(infos) > MOST_PARTS or len(set(names)) < len(names):
        raise limits.refusal("unreadable")
    left = limits.unpacked
    for info in infos:
        if _PARTS.fullmatch(info.filename):
            # Reading stops at what the archive says of itself, and fails where its checksum does not fit.
            left -= info.file_size
            if left < 0:
                raise limits.refusal("unpacked", limit=limits.unpacked // 1_000_000)
            yield info


def _look_through(name: str, part: IO[bytes], copy: IO[bytes], limits: Limits) -> None:
    """Copy a part; refuse one with a declaration of its own, or a sheet that reaches beyond the limits."""
    parser = expat.ParserCreate()
    cells = last_row = last_column = 0

    def declared(*_: Any) -> None:
        raise limits.refusal("unreadable")

    def begun(tag: str, attributes: dict[str, str]) -> None:
        nonlocal cells, last_row, last_column
        tag = tag.rpartition(":")[2]
        if tag == "c":
            cells += 1
            place = _PLACE.fullmatch(attributes.get("r", "A1"))
            if place is None:
                raise limits.refusal("unreadable")
            column, row = _column(place[1]), int(place[2])
            if column > limits.columns + _BLANK:
                raise limits.refusal("columns", limit=limits.columns)
            _within(row, limits)
            last_row, last_column = max(last_row, row), max(last_column, column)
        elif tag == "row":
            number = attributes.get("r", "1")
            _within(int(number) if number.isdecimal() else limits.rows * 2, limits)
        elif tag == "f" and limits.roll:
            raise limits.refusal("formula", row=last_row)
        if cells > (limits.rows + _BLANK) * (limits.columns + _BLANK):
            raise limits.refusal("rows", limit=limits.rows)
        if limits.roll and last_row * last_column > MOST_AREA:
            raise limits.refusal("too_much")

    parser.StartDoctypeDeclHandler = declared
    parser.EntityDeclHandler = declared
    if _SHEET.match(name):
        parser.StartElementHandler = begun
    try:
        while piece := part.read(_PIECE):
            parser.Parse(piece, False)
            copy.write(piece)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise limits.refusal("unreadable") from error


def _within(row: int, limits: Limits) -> None:
    if row > limits.rows + _BLANK:
        raise limits.refusal("rows", limit=limits.rows)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def decimal(value: float) -> str:
    """A number as people write it: without a point if it is whole, never with an exponent."""
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")


def _cell(value: object) -> str | date | time:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        # Spreadsheets know no whole numbers; 7.0 was typed as 7.
        return decimal(value)
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds() // 60)
        return f"{minutes // 60}:{minutes % 60:02}"
    if isinstance(value, date | time):
        return value
    return str(value)
