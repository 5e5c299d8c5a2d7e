"""The report on a file of stations as a file of its own: every fault with its row, column and reason."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import xlsxwriter

from knowledge.station_rows import Fault, in_words
from office.words import CHINESE, say

HEADINGS: Final = ("row", "code", "column", "weight", "reason")
# Reasons and codes quote the file, which may have been made to be calculated by whoever opens the report.
_FORMULA: Final = re.compile(r"[\s\u3000]*[=+\-@＝＋－＠\t\r\n]")


def lines(faults: Iterable[Fault], lang: str = CHINESE) -> list[tuple[str, ...]]:
    """The report line by line, the headings first; row 0 is the file as a whole."""
    headings = tuple(say(f"stationdesk.report.{name}", lang) for name in HEADINGS)
    found = [headings]
    for fault in faults:
        whole = "" if fault.column else say("stationdesk.whole_file", lang)
        row = str(fault.row) if fault.row else whole
        weight = say("stationdesk.warning" if fault.warning else "stationdesk.bad_row", lang)
        cells = (row, fault.code, fault.column, weight, in_words(fault, lang))
        found.append(tuple(f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells))
    return found


def to_csv(report: Iterable[Sequence[str]]) -> bytes:
    """As a csv file that spreadsheets open with the right script."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(report)
    return text.getvalue().encode("utf-8-sig")


def to_xlsx(report: Iterable[Sequence[str]], now: datetime) -> bytes:
    """As a workbook; `now` is written into it as the time it was made."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties({"created": now.replace(tzinfo=None)})
    bold, plain = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for column, width in enumerate((8, 12, 16, 10, 80)):
        sheet.set_column(column, column, width)
    for number, cells in enumerate(report):
        for column, cell in enumerate(cells):
            sheet.write_string(number, column, cell, plain if number else bold)
    book.close()
    return target.getvalue()
