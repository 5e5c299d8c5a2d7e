"""Exports read again: what stands in a file, whatever its name says it is."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from docx.oxml import parse_xml

from knowledge import workbooks
from office.cells import plain, written
from office.errors import Invalid
from ticketing import export_rows
from ticketing.spreadsheets import HEADS_AT

LARGEST: Final = 20_000_000
MOST_UNPACKED: Final = 200_000_000
MOST_ROWS: Final = 30_000
MOST_COLUMNS: Final = 60
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@dataclass(frozen=True, slots=True)
class Held:
    """What a file holds: the number and the beginning of the digest it is marked with, its heads and rows."""

    snapshot: int
    shown: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def digest(self) -> str:
        """The digest anew, from these rows."""
        return export_rows.digest(self.heads, self.rows)


def read(content: bytes) -> Held:
    """The rows of an exported file, Word, workbook or CSV; raises `Invalid` for any other file."""
    if len(content) > LARGEST:
        raise Invalid("export.large", most=LARGEST // 1_000_000)
    if not content.startswith(b"PK"):
        return _table(_separated(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise Invalid("export.large", most=LARGEST // 1_000_000)
            if "word/document.xml" in packed.namelist():
                return _document(packed)
        return _table(
            [[str(cell) for cell in row] for row in workbooks.rows(content, MOST_ROWS, MOST_COLUMNS)]
        )
    except (zipfile.BadZipFile, SyntaxError, OSError, NotImplementedError) as error:
        raise Invalid("export.unreadable") from error


def _separated(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid("export.unreadable") from error


def _table(lines: Sequence[Sequence[str]]) -> Held:
    if len(lines) <= HEADS_AT:
        raise Invalid("export.no_marks")
    heads = [written(plain(cell)) for cell in lines[HEADS_AT]]
    while heads and not heads[-1]:
        heads.pop()
    rows = []
    for line in lines[HEADS_AT + 1 :]:
        cells = [written(plain(cell)) for cell in line]
        if any(cells[len(heads) :]):
            raise Invalid("export.other_columns")
        rows.append(tuple([*cells, *[""] * len(heads)][: len(heads)]))
    while rows and not any(rows[-1]):
        rows.pop()
    return _held(plain(str(lines[HEADS_AT - 1][0])) if lines[HEADS_AT - 1] else "", heads, rows)


def _document(packed: zipfile.ZipFile) -> Held:
    names = [name for name in packed.namelist() if name.startswith("word/header")]
    marks = " ".join(_text(parse_xml(packed.read(name))) for name in names)
    body = parse_xml(packed.read("word/document.xml"))
    tables = body.findall(f"{_W}body/{_W}tbl")
    if len(tables) != 1:
        raise Invalid("export.no_marks")
    lines = [
        [written(_text(cell)) for cell in row.findall(f"{_W}tc")] for row in tables[0].findall(f"{_W}tr")
    ]
    if not lines or any(len(line) != len(lines[0]) for line in lines):
        raise Invalid("export.other_columns")
    return _held(marks, lines[0], [tuple(line) for line in lines[1:]])


def _text(element: Any) -> str:
    """The text of paragraphs one below the other, with the line breaks inside them."""
    paragraphs = element.iter(f"{_W}p")
    return "\n".join("".join(_signs(paragraph)) for paragraph in paragraphs)


def _signs(paragraph: Any) -> Iterable[str]:
    for part in paragraph.iter(f"{_W}t", f"{_W}br", f"{_W}cr", f"{_W}tab"):
        yield part.text or "" if part.tag == f"{_W}t" else " " if part.tag == f"{_W}tab" else "\n"


def _held(marks: str, heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Held:
    found = export_rows.read_marks(marks)
    if found is None:
        raise Invalid("export.no_marks")
    return Held(*found, tuple(heads), tuple(rows))
