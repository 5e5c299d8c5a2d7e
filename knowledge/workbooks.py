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
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from office.errors import Invalid

MOST_UNPACKED: Final = 120_000_000
MOST_PARTS: Final = 500
_PARTS: Final = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/(?:workbook|styles|sharedStrings)\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/worksheets/[\w-]+\.xml"
)
_SHEET: Final = re.compile(r"xl/worksheets/")
_PLACE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})", re.ASCII)
_BLANK: Final = 10
"""Empty rows and columns that may stand around a table."""


def rows(content: bytes, most_rows: int, most_columns: int) -> list[list[str | date | time]]:
    """The first visible sheet from its first row: texts, days and times; whole numbers without a point.

    Raises `Invalid` for what is no workbook, is larger than the limits, or holds what no table needs.
    """
    clean = _repacked(content, most_rows, most_columns)
    try:
        book = CalamineWorkbook.from_object(io.BytesIO(clean))
        names = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible
        ]
        if not names:
            raise Invalid("station_file.empty")
        found = book.get_sheet_by_name(names[0]).to_python(skip_empty_area=False)
    except (CalamineError, ValueError, OSError) as error:
        raise Invalid("station_file.unreadable") from error
    return [[_cell(value) for value in row] for row in found]


def _repacked(content: bytes, most_rows: int, most_columns: int) -> bytes:
    target = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(target, "w") as clean:
            for name, part in _parts(packed):
                _look_through(name, part, most_rows, most_columns)
                clean.writestr(name, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise Invalid("station_file.unreadable") from error
    return target.getvalue()


def _parts(packed: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    infos = packed.infolist()
    names = [info.filename for info in infos]
    if len(infos) > MOST_PARTS or len(set(names)) < len(names):
        raise Invalid("station_file.unreadable")
    left = MOST_UNPACKED
    for info in infos:
        if _PARTS.fullmatch(info.filename):
            # Reading stops at what the archive says of itself, and fails where its checksum does not fit.
            left -= info.file_size
            if left < 0:
                raise Invalid("station_file.unpacked", limit=MOST_UNPACKED // 1_000_000)
            yield info.filename, packed.read(info)


def _look_through(name: str, part: bytes, most_rows: int, most_columns: int) -> None:
    """Refuse a part with a declaration of its own, or a sheet that reaches beyond the limits."""
    parser = expat.ParserCreate()
    cells = 0

    def declared(*_: Any) -> None:
        raise Invalid("station_file.unreadable")

    def begun(tag: str, attributes: dict[str, str]) -> None:
        nonlocal cells
        tag = tag.rpartition(":")[2]
        if tag == "c":
            cells += 1
            place = _PLACE.fullmatch(attributes.get("r", "A1"))
            if place is None:
                raise Invalid("station_file.unreadable")
            if _column(place[1]) > most_columns + _BLANK:
                raise Invalid("station_file.columns", limit=most_columns)
            _within(int(place[2]), most_rows)
        elif tag == "row":
            number = attributes.get("r", "1")
            _within(int(number) if number.isdecimal() else most_rows * 2, most_rows)
        if cells > (most_rows + _BLANK) * (most_columns + _BLANK):
            raise Invalid("station_file.rows", limit=most_rows)

    parser.StartDoctypeDeclHandler = declared
    parser.EntityDeclHandler = declared
    if _SHEET.match(name):
        parser.StartElementHandler = begun
    try:
        parser.Parse(part, True)
    except expat.ExpatError as error:
        raise Invalid("station_file.unreadable") from error


def _within(row: int, most_rows: int) -> None:
    if row > most_rows + _BLANK:
        raise Invalid("station_file.rows", limit=most_rows)


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
