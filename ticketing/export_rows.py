"""What an export holds before it is a file: heads and rows in canonical form, and the marks on each page."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Final

from office import cells
from office.hours import BEIJING
from office.words import CHINESE, say

Cell = str | int
SHOWN_DIGITS: Final = 12
_MARKED: Final = re.compile(
    r"快照号\s*[:：]\s*([0-9]{1,9})(?![0-9]).*?内容校验\s*[:：]\s*([0-9a-f]{12})(?![0-9a-f])", re.DOTALL
)


class Form(StrEnum):
    """What kind of file an export becomes; PRINT is a page to print."""

    DOCX = auto()
    XLSX = auto()
    CSV = auto()
    PRINT = auto()


MOST_ROWS: Final[Mapping[Form, int]] = {
    Form.DOCX: 2_000,
    Form.PRINT: 2_000,
    Form.XLSX: 20_000,
    Form.CSV: 20_000,
}
"""A Word document of more rows cannot be leafed through, a workbook of more is no record of a day."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that leaves the desk. Texts are canonical (`office.cells.written`), numbers stay numbers.

    `widths` are parts of the page's width, `signatures` the words before the lines to sign on, `notes` what
    stands above the table: filters and counts, in words.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...]
    notes: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """Who exported what when, printed on every page and sheet (helpdesk, exports)."""

    who: str
    at: datetime
    snapshot: int
    digest: str
    purpose: str = ""

    def line(self, *, purpose_most: int = 200) -> str:
        """The marks in one line, always in Chinese: they belong to the paper, not to its reader."""
        purpose = (
            self.purpose if len(self.purpose) <= purpose_most else self.purpose[: purpose_most - 1] + "…"
        )
        return say(
            "export.marks", CHINESE, who=self.who, at=f"{self.at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}",
            snapshot=self.snapshot, digest=self.digest[:SHOWN_DIGITS], purpose=purpose or "—",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A table with its marks: all that a file is made from."""

    sheet: Sheet
    marks: Marks
    office: str = field(default="")


def sheet(
    title: str,
    heads: Iterable[str],
    rows: Iterable[Sequence[Cell]],
    widths: Iterable[int],
    *,
    notes: Iterable[str] = (),
    signatures: Iterable[str] = (),
) -> Sheet:
    """A table with every text in its canonical form; raises `ValueError` for a row of another length."""
    canonical_heads = tuple(map(cells.written, heads))
    canonical = tuple(
        tuple(cells.written(cell) if isinstance(cell, str) else cell for cell in row) for row in rows
    )
    if any(len(row) != len(canonical_heads) for row in canonical):
        raise ValueError("a row has not as many cells as there are heads")
    # Notes and marks stand in one line each: a reader finds the table below them by counting.
    flat = tuple(" ".join(cells.written(note).split()) for note in notes)
    return Sheet(title, canonical_heads, canonical, tuple(widths), flat, tuple(signatures))


def digest(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """SHA-256 over the canonical rows, the heads first: JSON arrays of texts, one line each."""
    told = hashlib.sha256()
    for row in (heads, *rows):
        line = json.dumps([str(cell) for cell in row], ensure_ascii=False, separators=(",", ":"))
        told.update(line.encode() + b"\n")
    return told.hexdigest()


def read_marks(text: str) -> tuple[int, str] | None:
    """Snapshot number and the beginning of the digest, wherever the marks stand in a text."""
    found = _MARKED.search(text)
    return (int(found[1]), found[2]) if found else None
