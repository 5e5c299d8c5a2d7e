"""A separated file cut into blocks at the ends of rows, and blocks with quotation marks read into rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO, Final

from knowledge.roll.sources import Kind, Table

SIZE: Final = 1 << 20
LONGEST: Final = SIZE - 1
"""Bytes in which a row must end; a quotation mark that is never closed goes no further."""
MOST_LINES: Final = 50
"""Lines that one row may have. A quotation mark that is never closed swallows no more of them."""


def blocks(file: IO[bytes], size: int = SIZE, longest: int = LONGEST) -> Iterator[bytes]:
    """What is left of a file, in pieces that end with a line break outside quotation marks."""
    rest = b""
    while chunk := file.read(size):
        rest += chunk
        cut = _cut(rest)
        if not cut and len(rest) > longest:
            cut = rest.rfind(b"\n") + 1 or len(rest)
        if cut:
            block, rest = rest[:cut], rest[cut:]
            yield block
    if rest:
        yield rest


def numbered(table: Table) -> Iterator[tuple[int, list[str]]]:
    """Every row of a table with its number as a build counts, also behind a missing quotation mark.

    Of a table whose rows can be cut; of others it is `table.rows()` itself.
    """
    if table.kind is Kind.ROWS:
        yield from table.rows()
        return
    width = max(table.columns.values()) + 1
    row = table.first_row
    with table.path.open("rb") as file:
        file.seek(table.offset)
        for block in blocks(file, SIZE):
            for cells in rows(lined(block).decode(table.encoding, "replace"), table.delimiter, width):
                yield row, cells
                row += 1


def lined(block: bytes) -> bytes:
    """A block whose last line is ended too."""
    return block if block.endswith(b"\n") else block + b"\n"


def rows(text: str, delimiter: str, width: int) -> Iterator[list[str]]:
    """The rows of a block, those in between included that are empty.

    A row with a line break in a cell is one row, unless it runs too long or one of its lines is a whole row
    by itself: then a quotation mark is missing, and every line is a row, so that only one is lost.
    """
    lines = list(io.StringIO(text, newline=""))
    at = 0
    while at < len(lines):
        begun = at
        feed = _Feed(lines, at)
        reader = csv.reader(feed, delimiter=delimiter)
        try:
            for cells in reader:
                after = begun + reader.line_num
                if after - at > 1 and not _is_one(lines[at:after], delimiter, width):
                    break
                feed.row_ended = at = after
                yield cells
            else:
                return
        except (csv.Error, _TooLong):
            pass
        yield _alone(lines[at], delimiter)
        at += 1


class _TooLong(Exception):
    """A row that does not end within `MOST_LINES`."""


class _Feed:
    """Lines for the reader, no more than one row may have."""

    def __init__(self, lines: list[str], at: int) -> None:
        self._lines, self._at, self.row_ended = lines, at, at

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self._at >= len(self._lines):
            raise StopIteration
        if self._at - self.row_ended >= MOST_LINES:
            raise _TooLong
        self._at += 1
        return self._lines[self._at - 1]


def _is_one(lines: list[str], delimiter: str, width: int) -> bool:
    # A line in which a cell ends or begins that goes over several has an odd number of marks.
    return not any(line.count('"') % 2 == 0 and len(_alone(line, delimiter)) >= width for line in lines)


def _alone(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _cut(data: bytes) -> int:
    """Behind the last line break that stands outside quotation marks: an even number is before it."""
    left = data.count(b'"')
    end = len(data)
    while (found := data.rfind(b"\n", 0, end)) >= 0:
        left -= data.count(b'"', found, end)
        if left % 2 == 0:
            return found + 1
        end = found
    return 0
