"""Files of stations: tables read from xlsx and csv, and written so that they come back unchanged."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any, Final

import xlsxwriter

from knowledge import station_hours, workbooks
from knowledge.station_words import data as data
from knowledge.text import plain
from knowledge.workbooks import decimal
from office.cells import guarded
from office.errors import Invalid

LARGEST: Final = 10_000_000
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 60
LONGEST_CELL: Final = 2_000
FIELDS: Final = (
    "kind", "code", "name", "unit", "neighbourhood", "groups", "address", "near", "directions", "hours",
    "phone", "access", "note", "latitude", "longitude",
)  # fmt: skip
_HEADING_WITHIN: Final = 10
_JOINT: Final = "、"
EXAMPLE: Final = "例："

Cell = str | date | time


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows by field. `headings` are the file's own, `others` the columns that are not known.

    A row counts as spreadsheets do, from 1 with what stands above the heading.
    """

    headings: Mapping[str, str]
    rows: tuple[tuple[int, Mapping[str, Cell]], ...]
    others: Mapping[str, tuple[str, ...]]


def read(filename: str, content: bytes) -> Table:
    """The table in a file; raises `Invalid` for one that is too large, unreadable or has not the columns."""
    if len(content) > LARGEST:
        raise Invalid("station_file.large", limit=LARGEST // 1_000_000)
    if content.startswith(b"PK"):
        return _best([workbooks.rows(content, MOST_ROWS, MOST_COLUMNS)])
    if content.startswith(b"\xd0\xcf\x11\xe0") or filename.lower().endswith((".xls", ".xlsx", ".et")):
        raise Invalid("station_file.kind")
    return _best(_separated(_decoded(content)))


def _decoded(content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("station_file.unreadable")


def _separated(text: str) -> Iterator[list[list[Cell]]]:
    """The rows under every separator that may be meant."""
    for separator in (",", "\t", ";", "|", "，"):
        if separator in text:
            try:
                yield _limited(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
            except csv.Error:
                continue


def _limited(lines: Iterable[Sequence[str]]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for line in lines:
        if len(line) > MOST_COLUMNS and any(line[MOST_COLUMNS:]):
            raise Invalid("station_file.columns", limit=MOST_COLUMNS)
        rows.append(list(line[:MOST_COLUMNS]))
        if len(rows) > MOST_ROWS + _HEADING_WITHIN:
            raise Invalid("station_file.rows", limit=MOST_ROWS)
    return rows


def _best(readings: Iterable[list[list[Cell]]]) -> Table:
    """The table of the reading with the most known headings."""
    best: tuple[int, int, list[list[Cell]]] = (0, 0, [])
    for rows in readings:
        for at, row in enumerate(rows[:_HEADING_WITHIN]):
            known = len({field for cell in row if (field := _field(cell))})
            if known > best[0]:
                best = known, at, rows
    known, at, rows = best
    headings = _headings(rows[at]) if known else {}
    if missing := [field for field in data()["needed"] if field not in headings]:
        raise Invalid("station_file.headings", missing=_JOINT.join(heading(field) for field in missing))
    return _table(headings, at, rows)


def _headings(row: Sequence[Cell]) -> dict[str, int]:
    found: dict[str, int] = {}
    for column, cell in enumerate(row):
        if field := _field(cell):
            if field in found:
                raise Invalid("station_file.twice", one=_text(row[found[field]]), other=_text(cell))
            found[field] = column
    return found


def _table(headings: Mapping[str, int], at: int, rows: list[list[Cell]]) -> Table:
    top = rows[at]
    kept = []
    for number, row in enumerate(rows[at + 1 :], start=at + 2):
        for column in headings.values():
            if column < len(row) and len(str(row[column]).strip()) > LONGEST_CELL:
                raise Invalid(
                    "station_file.cell_at", limit=LONGEST_CELL, row=number, column=_text(top[column])
                )
        cells = {field: clean(row[column]) for field, column in headings.items() if column < len(row)}
        if any(cell != "" for cell in cells.values()) and not _is_example(cells):
            kept.append((number, cells))
    if len(kept) > MOST_ROWS:
        raise Invalid("station_file.rows", limit=MOST_ROWS)
    if not kept:
        raise Invalid("station_file.empty")
    others: dict[str, tuple[str, ...]] = {}
    known = set(headings.values())
    for column in range(max(map(len, rows))):
        if column not in known:
            name = _text(top[column]) if column < len(top) else ""
            values = tuple(_text(row[column]) for row in rows[at + 1 :] if column < len(row))
            if name or any(values):
                others[name or f"#{column + 1}"] = tuple(value for value in values if value)
    own = {field: _text(top[column]) for field, column in headings.items()}
    return Table(own, tuple(kept), others)


def _is_example(cells: Mapping[str, Cell]) -> bool:
    code = cells.get("code", "")
    return isinstance(code, str) and code.startswith(EXAMPLE)


def clean(cell: Cell) -> Cell:
    """A cell without what only spreadsheets need: the apostrophe before a text, spaces around it.

    Raises `Invalid` for a cell that is longer than any field.
    """
    if not isinstance(cell, str):
        return cell
    text = cell.strip().removeprefix("'").replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(map(_kept, text)).strip()
    if len(text) > LONGEST_CELL:
        raise Invalid("station_file.cell", limit=LONGEST_CELL)
    return text


def _kept(character: str) -> str:
    if character == "\n" or character.isprintable():
        return character
    return " " if character.isspace() else ""


def _text(cell: Cell) -> str:
    found = clean(cell)
    return found if isinstance(found, str) else found.isoformat()


def _field(cell: Cell) -> str:
    return _fields().get(plain(cell) if isinstance(cell, str) and len(cell) < 40 else "", "")


@cache
def _fields() -> Mapping[str, str]:
    return {plain(name): field for field, names in data()["columns"].items() for name in names}


def heading(field: str) -> str:
    """The heading under which a field is written."""
    return str(data()["columns"][field][0])


# --- writing ----------------------------------------------------------------------------------------------


def cells(fields: Mapping[str, Any], unit_name: str) -> list[str | float]:
    """A station's fields as they are written, in the order of `FIELDS`; `unit_name` in place of the code."""
    position: list[str | float] = [
        value if isinstance(value := fields[name], float) else "" for name in ("latitude", "longitude")
    ]
    words = {code: names[0] for code, names in data()["access"].items()}
    texts: dict[str, str] = {
        **{name: str(fields[name]) for name in ("code", "name", "neighbourhood", "address", "near")},
        **{name: str(fields[name]) for name in ("directions", "phone", "note")},
        "kind": data()["kinds"][str(fields["kind"])][0],
        "unit": unit_name,
        "groups": _JOINT.join(fields["groups"]),
        "hours": station_hours.written(fields["hours"]),
        "access": _JOINT.join(words.get(code, code) for code in fields["access"]),
    }
    return [*(texts[field] for field in FIELDS[:-2]), *position]


def to_csv(rows: Iterable[Sequence[str | float]]) -> bytes:
    """Rows of `cells` as a file that spreadsheets open with the right script."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([heading(field) for field in FIELDS])
    writer.writerows(
        [[guarded(cell) if isinstance(cell, str) else decimal(cell) for cell in row] for row in rows]
    )
    return text.getvalue().encode("utf-8-sig")


def to_xlsx(rows: Iterable[Sequence[str | float]], now: datetime) -> bytes:
    """Rows of `cells` as a workbook; texts are texts, whatever they look like. `now` is written into it."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties({"created": now.replace(tzinfo=None)})
    plain_text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    # Whoever types 12-03 into an ordinary cell gets the third of December.
    sheet.set_column(0, len(FIELDS) - 3, 16, plain_text)
    for column, field in enumerate(FIELDS):
        sheet.write_string(0, column, heading(field), bold)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, float):
                sheet.write_number(number, column, cell)
            elif cell:
                sheet.write_string(number, column, guarded(cell), plain_text)
    book.close()
    return target.getvalue()


def template(now: datetime) -> bytes:
    """An empty workbook with the headings and one example, which is passed over when it comes back."""
    return to_xlsx([_EXAMPLE], now)


_EXAMPLE: Final = (
    "登记站", f"{EXAMPLE}12-03", "书香苑居委会登记站", "临江街道", "书香苑居委会", "12-03、12-04",
    "书院路88弄1号", "书香苑、书院小学旁边", "1路书院路站",
    "2026-11-25至2026-12-05 周一至周五 9:00-11:30、13:30-17:00；2026-11-28 9:00-12:00",
    "0000-12340003", "无障碍坡道、一楼", "", 31.0035, 121.9064,
)  # fmt: skip
