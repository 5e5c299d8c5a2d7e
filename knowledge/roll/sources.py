"""Rolls as platforms export them: which file this is, where its table begins and under which columns.

Whatever a file holds, no more than its beginning is kept in memory, and every refusal says one thing to do.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from itertools import chain, islice
from pathlib import Path
from typing import Final

from knowledge.roll.columns import Columns, Field, plain
from knowledge.roll.sheets import Sheet, is_workbook
from office.errors import Invalid

HEAD: Final = 1 << 20
HEADING_WITHIN: Final = 10
MOST_COLUMNS: Final = 200
LONGEST_LINE: Final = 100_000
_MOST_LINES: Final = 20
"""Lines that one row may go over: behind a quotation mark that was never closed, it is the rest of a file."""
_LOOKED_AT: Final = 50
_JOINT: Final = "、"
_DELIMITERS: Final = (",", "\t", ";", "|")
SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?E\+?1[0-9]", re.IGNORECASE | re.ASCII)
"""An identity number that a spreadsheet took for a number: its last digits are lost."""
_DAY: Final = re.compile(
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}.*|[0-9]{1,2}月[0-9]{1,2}日|[0-9]{1,2}-[A-Za-z]{3}|4[0-9]{4}"
)
_TEXT: Final = re.compile(r'="(.*)"', re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\ufffd]")


class Kind(StrEnum):
    """How a table's rows are had: cut out of the file's bytes, or asked for one after another."""

    BYTES = auto()
    ROWS = auto()


Rows = Callable[[], Iterator[tuple[int, list[str]]]]


@dataclass(frozen=True)
class Table:
    """A file whose heading row was found.

    Of kind BYTES, rows may be cut at line breaks and `delimiter` from byte `offset` on, in `encoding` (there
    no byte of a character looks like either); cells in quotation marks may hold both. Of every kind, `rows()`
    gives (row number, cells as text), numbered as spreadsheets do: `first_row` is the row below the heading.
    Empty rows count and are not given; a byte that is none of the encoding comes as U+FFFD. `columns` says in
    which cell of a row a field stands; rows may be shorter. `others` names sheets that are not read.
    """

    kind: Kind
    path: Path
    encoding: str
    delimiter: str
    first_row: int
    offset: int
    columns: Mapping[Field, int]
    rows: Rows = field(repr=False, compare=False)
    others: tuple[str, ...] = ()


def look(path: Path, columns: Columns, needed: frozenset[Field] | None = None) -> Table:
    """Find the table in a file; `needed` are the columns that must be there, if not those of the map.

    Raises `Invalid` with a key `roll_file.` for a file that cannot be used. No row is judged here, except
    where the first ones show that a whole column has been spoilt.
    """
    needed = columns.needed if needed is None else needed
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise Invalid("roll_file.missing", name=path.name)
        with path.open("rb") as file:
            head = file.read(HEAD)
            file.seek(max(0, state.st_size - HEAD))
            workbook = is_workbook(head, file.read(HEAD))
    except OSError as error:
        raise Invalid("roll_file.missing", name=path.name) from error
    if not head.strip(b"\0 \t\r\n"):
        raise Invalid("roll_file.empty")
    if workbook:
        return _of_sheet(path, columns, needed)
    return _of_text(path, head, columns, needed)


def clean(cell: str) -> str:
    """A cell without what only keeps spreadsheets from guessing: '1, ="1", tabs and spaces around it."""
    text = cell.strip()
    if found := _TEXT.fullmatch(text):
        text = found[1].strip()
    return text.removeprefix("'")


# --- where the table begins -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Heading:
    """A row that names columns; `at` counts from 0. `missing` are fields that it should name and does not."""

    at: int
    columns: Mapping[Field, int]
    missing: tuple[Field, ...]


def _heading(rows: Iterable[Sequence[str]], columns: Columns, needed: frozenset[Field]) -> _Heading | None:
    """The row that names most of the needed columns; raises `Invalid` for one that names a field twice."""
    fields = {plain(word): name for name, words in columns.headings.items() for word in words}
    best: _Heading | None = None
    for at, row in enumerate(islice(rows, HEADING_WITHIN)):
        found: dict[Field, int] = {}
        twice = None
        for column, cell in enumerate(row[:MOST_COLUMNS]):
            name = fields.get(plain(clean(cell))) if len(cell) < 60 else None
            if name in found:
                twice = Invalid("roll_file.twice", one=clean(row[found[name]]), other=clean(cell), row=at + 1)
            elif name is not None:
                found[name] = column
        missing = tuple(name for name in Field if name in needed and name not in found)
        if found and (best is None or len(missing) < len(best.missing)):
            if not missing and twice:
                raise twice
            best = _Heading(at, found, missing)
        if any(cell.strip() for cell in row[MOST_COLUMNS:]):
            raise Invalid("roll_file.columns", limit=MOST_COLUMNS)
    return best


def _found(best: _Heading | None, columns: Columns, needed: frozenset[Field]) -> _Heading:
    if best is None or best.missing:
        missing = best.missing if best else sorted(needed, key=list(Field).index)
        names = _JOINT.join(columns.headings[name][0] for name in missing)
        raise Invalid("roll_file.headings", missing=names, map=columns.name, limit=HEADING_WITHIN)
    return best


def _look_at_first(rows: Sequence[tuple[int, list[str]]], columns: Mapping[Field, int]) -> None:
    """Refuse a file whose first rows show a spoilt column, or that has no rows."""
    if not rows:
        raise Invalid("roll_file.no_rows")
    spoilt: list[tuple[Field, re.Pattern[str], str]] = [(Field.NUMBER, SCIENTIFIC, "numeric")]
    if Field.AREA not in columns:
        spoilt.append((Field.GROUP, _DAY, "dates"))
    for name, pattern, what in spoilt:
        at = columns.get(name, MOST_COLUMNS)
        bad = [row for row, cells in rows if at < len(cells) and pattern.fullmatch(cells[at])]
        if len(bad) * 2 > len(rows):
            raise Invalid(f"roll_file.{what}", row=bad[0])


def _below(rows: Iterable[Sequence[str]], heading: int) -> Iterator[tuple[int, list[str]]]:
    """The rows below the heading row (counted from 0) that hold something, with their numbers."""
    for number, row in enumerate(rows, start=1):
        if number > heading + 1 and any(row):
            cells = [clean(cell) for cell in row[:MOST_COLUMNS]]
            if any(cells):
                yield number, cells


# --- workbooks --------------------------------------------------------------------------------------------


def _of_sheet(path: Path, columns: Columns, needed: frozenset[Field]) -> Table:
    sheet = Sheet(path)
    rows = sheet.rows()
    try:
        head = list(islice(rows, HEADING_WITHIN + _LOOKED_AT))
        heading = _found(_heading(head, columns, needed), columns, needed)
        for first, last in sheet.merged:
            if last > heading.at + 1:
                raise Invalid("roll_file.merged", row=first)
        _look_at_first(list(_below(head, heading.at)), heading.columns)
    except BaseException:
        sheet.close()
        raise
    # To read a million rows takes many seconds: the reading that has begun serves the first who asks.
    begun: list[Iterator[list[str]]] = [chain(head, rows)]

    def again() -> Iterator[tuple[int, list[str]]]:
        return _below(begun.pop() if begun else Sheet(path).rows(), heading.at)

    return Table(
        Kind.ROWS, path, "", "", heading.at + 2, 0, heading.columns, again, others=sheet.others
    )  # fmt: skip


# --- text -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reading:
    """One way to read a text: `lines` are those up to the heading, `sure` that the encoding is this one."""

    encoding: str
    delimiter: str
    heading: _Heading
    lines: int
    sure: bool


def _of_text(path: Path, head: bytes, columns: Columns, needed: frozenset[Field]) -> Table:
    readings: list[_Reading] = []
    fits = False
    for encoding in _encodings(head):
        text, strict = _decoded(head, encoding)
        # Nearly all bytes are some UTF-16: without its mark that proves nothing.
        fits = fits or (strict and not encoding.startswith("utf-16-") and not _CONTROL.search(text))
        if not text.strip():
            raise Invalid("roll_file.empty")
        readings += _readings(text, encoding, strict, columns, needed)
    best = min(readings, key=lambda one: (len(one.heading.missing), not one.sure), default=None)
    if best is None and not fits:
        raise Invalid("roll_file.unreadable")
    heading = _found(best.heading if best else None, columns, needed)
    assert best is not None

    def rows() -> Iterator[tuple[int, list[str]]]:
        return _below(_records(path, best.encoding, best.delimiter), heading.at)

    _look_at_first(list(islice(rows(), _LOOKED_AT)), heading.columns)
    # The second byte of a GB18030 character may be that of |, but never of a line break, comma or tab.
    cut = best.encoding == "utf-8" or (best.encoding == "gb18030" and best.delimiter != "|")
    offset = _after(head, best.lines) if cut and b"\n" in head else 0
    return Table(
        Kind.BYTES if offset else Kind.ROWS, path, best.encoding, best.delimiter, heading.at + 2, offset,
        heading.columns, rows,
    )  # fmt: skip


def _encodings(head: bytes) -> tuple[str, ...]:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    # Whoever writes UTF-16 without its mark still writes line breaks, and every second byte of them is 0.
    return ("utf-16-le", "utf-16-be") if b"\0" in head else ("utf-8", "gb18030")


def _decoded(head: bytes, encoding: str) -> tuple[str, bool]:
    """The beginning as text, and whether all of it is of that encoding; a character may be cut at its end."""
    try:
        text, strict = codecs.getincrementaldecoder(encoding)().decode(head, len(head) < HEAD), True
    except UnicodeDecodeError:
        text, strict = head.decode(encoding, "replace"), False
    return text.removeprefix("\ufeff"), strict


def _readings(
    text: str, encoding: str, strict: bool, columns: Columns, needed: frozenset[Field]
) -> Iterator[_Reading]:
    lines = text.split("\n" if "\n" in text else "\r", HEADING_WITHIN * _MOST_LINES)[:-1] or [text]
    if len(lines[0]) > LONGEST_LINE:
        raise Invalid("roll_file.line", row=1)
    for delimiter in _DELIMITERS:
        counts: list[int] = []
        rows = []
        reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
        try:
            for row in islice(reader, HEADING_WITHIN):
                rows.append(row)
                counts.append(reader.line_num)
        except csv.Error:
            pass  # what stands above may still be a table
        if heading := _heading(rows, columns, needed):
            named = not "".join(rows[heading.at]).isascii()
            yield _Reading(encoding, delimiter, heading, counts[heading.at], strict or named)


def _after(head: bytes, lines: int) -> int:
    at = 0
    for _ in range(lines):
        at = head.find(b"\n", at) + 1
    return at


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Every row of a text file, also empty ones; raises `Invalid` where a row does not come to an end."""
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    row = before = 0
    try:
        with path.open(encoding=name, errors="replace", newline="") as file:
            reader = csv.reader(_lines(file), delimiter=delimiter)
            for row, record in enumerate(reader, start=1):
                if reader.line_num - before > _MOST_LINES:
                    raise Invalid("roll_file.quote", row=row)
                before = reader.line_num
                yield record
    except csv.Error as error:
        raise Invalid("roll_file.quote", row=row + 1) from error
    except _LongLine as error:
        raise Invalid("roll_file.line", row=row + 1) from error


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise _LongLine
        yield line


class _LongLine(Exception):
    """A line that is longer than any row of a roll."""
