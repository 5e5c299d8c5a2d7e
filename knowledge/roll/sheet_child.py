"""One workbook read in a process of its own: `python -m knowledge.roll.sheet_child`, the file as input.

However a file is made, it can use up no more memory and time than this process may have. What comes out is
JSON, a line each: first what the workbook is or why it is refused, then rows by the hundred, then `null`.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any, Final

from python_calamine import CalamineError, CalamineSheet

from knowledge.workbooks import Limits, decimal, first_sheet
from office.errors import Invalid

MEMORY: Final = 3 << 30
"""Address space. A million rows of seven columns take 0.8 GB."""
SECONDS: Final = 300
LIMITS: Final = Limits(1_048_576, 200, unpacked=1_500_000_000, roll=True)
BATCH: Final = 500
LONGEST_CELL: Final = 500
_RANGES: Final = 100
_EXACT: Final = 1e15
"""Beyond fifteen digits a spreadsheet's number is not the one that was typed."""


def main() -> None:
    """Read the workbook on standard input and say it on standard output."""
    _confine()
    out = sys.stdout
    for line in said(sys.stdin.buffer):
        out.write(json.dumps(line, ensure_ascii=True))
        out.write("\n")
    out.write("null\n")


def said(source: IO[bytes]) -> Iterator[Any]:
    """What is to be told of a workbook, line by line."""
    try:
        sheet, others = first_sheet(source, LIMITS)
        ranges = {(first[0] + 1, last[0] + 1) for first, last in sheet.merged_cell_ranges or ()}
        merged = sorted(ranges, key=lambda rows: -rows[1])[:_RANGES]
        yield {"others": others, "merged": merged}
        yield from _batches(sheet)
    except Invalid as error:
        yield {"refused": error.key, "facts": error.facts}
    except (CalamineError, ValueError, OSError, io.UnsupportedOperation):
        yield {"refused": "roll_file.unreadable", "facts": {}}


def _confine() -> None:
    try:
        # Not on every system; without it the limits on what is unpacked have to do.
        resource: Any = importlib.import_module("resource")
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard < 0 else min(most, hard), hard))


def _batches(sheet: CalamineSheet) -> Iterator[list[list[str]]]:
    if sheet.start is None:
        return
    batch = []
    for row in sheet.iter_rows():
        batch.append([text(cell) for cell in row])
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def text(cell: object) -> str:
    """A cell as text. A number whose last digits are lost is written as 3.10199E+17, so that it shows."""
    if isinstance(cell, str):
        return cell[:LONGEST_CELL]
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return decimal(cell) if abs(cell) < _EXACT else f"{cell:.5E}"
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "minutes")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta | int) else ""


if __name__ == "__main__":
    main()
