"""Exports as workbooks and as CSV: texts are texts, whatever they look like, and each sheet has the marks.

Title, notes, marks, heads, rows: in this order and each at its place, so that a file can be read again.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC
from typing import Any, Final

import xlsxwriter

from office import archives
from office.cells import guarded
from office.words import CHINESE, say
from ticketing.documents import upright
from ticketing.export_rows import Sheet, Snapshot

HEADS_AT: Final = 3
"""The row of the heads, counted from 0: above it title, notes and marks, each in one cell."""
NOTES_BY: Final = "；"
SHEET_NAME: Final = 31
_A4: Final = 9
_PAGE_LINE: Final = 255
"""What a printed head or foot of a page may be long, its signs of command included."""
_PURPOSE: Final = 40
_LINE: Final = "＿" * 8


def xlsx(snapshot: Snapshot) -> bytes:
    """The snapshot as a workbook: A4, as wide as the page, heads on every page and in sight on the screen."""
    sheet, marks = snapshot.sheet, snapshot.marks
    packed = io.BytesIO()
    texts_only = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(packed, {"in_memory": True, **texts_only})
    book.set_properties(
        {
            "title": sheet.title,
            "author": marks.who,
            "comments": marks.line(),
            # A workbook's own times have no zone and mean UTC.
            "created": marks.at.astimezone(UTC).replace(tzinfo=None, microsecond=0),
        }
    )
    made = book.add_worksheet(_sheet_name(sheet.title))
    _print_so(made, snapshot)
    common = {"font_name": "宋体", "font_size": 10, "num_format": "@", "valign": "top"}
    title = book.add_format({**common, "font_size": 16, "bold": True})
    line = book.add_format(common)
    head = book.add_format({**common, "bold": True, "text_wrap": True, "border": 1, "bg_color": "#EEEEEE"})
    cell = book.add_format({**common, "text_wrap": True, "border": 1})
    number = book.add_format({**common, "num_format": "0", "border": 1})
    for row, (text, form) in enumerate(
        ((sheet.title, title), (NOTES_BY.join(sheet.notes), line), (marks.line(), line))
    ):
        made.write_string(row, 0, guarded(text), form)
    for column, text in enumerate(sheet.heads):
        made.write_string(HEADS_AT, column, guarded(text), head)
    for row, cells in enumerate(sheet.rows, HEADS_AT + 1):
        for column, value in enumerate(cells):
            if isinstance(value, int):
                made.write_number(row, column, value, number)
            else:
                made.write_string(row, column, guarded(value), cell)
    book.close()
    return archives.still(packed.getvalue(), marks.at)


def _print_so(made: Any, snapshot: Snapshot) -> None:
    sheet = snapshot.sheet
    made.set_paper(_A4)
    if not upright(sheet):
        made.set_landscape()
    made.fit_to_pages(1, 0)
    made.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.7)
    made.repeat_rows(HEADS_AT)
    made.freeze_panes(HEADS_AT + 1, 1)
    made.set_header(_printed("&L&8", snapshot.marks.line(purpose_most=_PURPOSE), ""))
    pages = say("export.pages", CHINESE, page="&P", pages="&N")
    signing = "　".join(f"{word}：{_LINE}" for word in sheet.signatures)
    made.set_footer(_printed("&L&8", signing, f"&R&8{pages}"))
    whole, parts = 170 if len(sheet.heads) > 2 else 90, sum(sheet.widths)
    for column, width in enumerate(sheet.widths):
        made.set_column(column, column, max(5, whole * width / parts))


def _printed(before: str, text: str, after: str) -> str:
    """A head or foot of a page; an ampersand in a text would be taken for a command."""
    shown = text.replace("\n", " ").replace("&", "&&")
    room = _PAGE_LINE - len(before) - len(after)
    cut = shown[:room]
    # Not in the middle of a doubled ampersand.
    return before + (cut[:-1] if (len(cut) - len(cut.rstrip("&"))) % 2 else cut) + after


def _sheet_name(title: str) -> str:
    kept = "".join(" " if symbol in "[]:*?/\\" else symbol for symbol in title).strip("' ")
    return kept[:SHEET_NAME] or "1"


def to_csv(snapshot: Snapshot) -> bytes:
    """The snapshot as a file that spreadsheets open with the right script."""
    sheet = snapshot.sheet
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for line in _above(snapshot):
        writer.writerow([guarded(line)])
    writer.writerow([guarded(head) for head in sheet.heads])
    for row in sheet.rows:
        writer.writerow([guarded(cell) if isinstance(cell, str) else str(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _above(snapshot: Snapshot) -> tuple[str, ...]:
    sheet: Sheet = snapshot.sheet
    return sheet.title, NOTES_BY.join(sheet.notes), snapshot.marks.line()
