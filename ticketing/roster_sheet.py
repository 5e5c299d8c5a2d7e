"""The roster as it is hung up (值班表): a Word table across A4; the same bytes for the same shifts."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from docx import Document
from docx.document import Document as Paper
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from knowledge import calendar
from office import archives
from office.shifts import DutyShift
from office.words import CHINESE, say
from ticketing.roster_files import COLUMNS, WRITTEN

LAID_ASIDE = ("note",)
"""What is handed over is no matter for a wall."""
SHOWN = tuple(field for field in WRITTEN if field not in LAID_ASIDE)
WIDTHS = {"day": 24, "weekday": 14, "name": 16, "span": 26, "leader": 24, "officer": 34, "phone": 34}
OTHER_WIDTH = 33


def row(shift: DutyShift, names: Mapping[int, str], language: str = CHINESE) -> dict[str, str]:
    """A shift by column, as files and papers write it."""
    people = [names.get(person or 0, "") for person in (shift.officer_id, shift.standby_id)]
    return {
        "day": shift.day.isoformat(),
        "weekday": say(f"hours.weekday.{shift.day.isoweekday()}", language),
        "name": say(f"roster.shift.{shift.name.value}", language),
        "span": f"{shift.opens}-{shift.closes}",
        "leader": names.get(shift.leader_id or 0, ""),
        "officer": "/".join(person for person in people if person),
        "phone": shift.phone,
        "place": shift.place,
        "duty": shift.duty,
        "emergency": shift.emergency,
        "note": shift.note,
    }


def docx(
    shifts: Sequence[DutyShift],
    names: Mapping[int, str],
    *,
    office: str,
    first: date,
    last: date,
    at: datetime,
) -> bytes:
    """The shifts from `first` to `last` as a Word document of the office; `at` is written into the file."""
    paper = Document()
    section = paper.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.left_margin = section.right_margin = Mm(14)
    section.top_margin = section.bottom_margin = Mm(16)
    normal = paper.styles["Normal"]
    normal.font.name, normal.font.size = "Times New Roman", Pt(10)
    normal.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体")
    normal.paragraph_format.space_after = Pt(2)
    _told(paper, office, at)
    _line(paper, say("roster.sheet_title", office=office), Pt(18), bold=True)
    span = say(
        "roster.sheet_span", first=calendar.spoken(first, year=True), last=calendar.spoken(last, year=True)
    )
    _line(paper, span, Pt(11))
    _table(paper, [row(shift, names) for shift in shifts])
    _line(paper, say("roster.sheet_foot"), Pt(9), centred=False)
    packed = io.BytesIO()
    paper.save(packed)
    return archives.still(packed.getvalue(), at)


def _told(paper: Paper, office: str, at: datetime) -> None:
    told = paper.core_properties
    told.author = told.last_modified_by = office
    told.title = say("roster.sheet_title", office=office)
    told.comments = told.keywords = told.subject = told.category = ""
    told.language, told.revision = "zh-CN", 1
    told.created = told.modified = told.last_printed = at.astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _line(paper: Paper, text: str, size: Any, *, bold: bool = False, centred: bool = True) -> None:
    paragraph = paper.add_paragraph()
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run(text)
    run.font.size, run.bold = size, bold


def _table(paper: Paper, rows: Sequence[Mapping[str, str]]) -> None:
    made = paper.add_table(rows=1, cols=len(SHOWN), style="Table Grid")
    made.autofit = False
    _fill(made.rows[0], [COLUMNS[field][0] for field in SHOWN], bold=True)
    head = OxmlElement("w:tblHeader")
    head.set(qn("w:val"), "true")
    made.rows[0]._tr.get_or_add_trPr().append(head)
    before = ""
    for found in rows:
        # A day stands once, at its first shift.
        again = {"day": "", "weekday": ""} if found["day"] == before else {}
        before = found["day"]
        _fill(made.add_row(), [{**found, **again}[field] for field in SHOWN])


def _fill(line: Any, texts: Sequence[str], *, bold: bool = False) -> None:
    for cell, field, text in zip(line.cells, SHOWN, texts, strict=True):
        cell.width = Mm(WIDTHS.get(field, OTHER_WIDTH))
        cell.paragraphs[0].add_run(text).bold = bold
