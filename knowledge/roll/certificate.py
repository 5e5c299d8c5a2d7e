"""The certificate of a purge as a Word document: what went, when, by whom, and what is left to do by hand.

Chinese first with English under it. The same facts give the same bytes, so that a copy drawn again later can
be compared with the one in the file.
"""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

from docx import Document
from docx.document import Document as Sheet
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from knowledge import calendar
from knowledge.roll.key_end import KeyEnd
from knowledge.roll.purge import BACKUPS
from knowledge.roll.records import RollPurge
from office.hours import BEIJING, beijing_day
from office.words import CHINESE, say

ENGLISH = "en"
DELETED = ("rows", "places", "suppressions", "receipt_stops", "links", "tickets")
# Zip files know no time before 1980; Word is content with any.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_BODY, _SMALL, _TITLE = Pt(11), Pt(9), Pt(20)
_LINE = "＿" * 14


def document(purge: RollPurge, office: str) -> bytes:
    """The certificate of a purge that was carried out; `office` is who issues it.

    Raises `ValueError` for a purge that was only asked for.
    """
    if purge.done_at is None:
        raise ValueError("there is no certificate of what was not done")
    sheet = _sheet(purge.done_at, office)
    _said(sheet, "roll_paper.title", size=_TITLE, centred=True)
    number = f"{purge.done_at.astimezone(BEIJING):%Y}-{purge.id:03}"
    _said(sheet, "roll_paper.number", centred=True, number=number)
    _said(sheet, "roll_paper.opening", office=office, election=purge.election)
    _table(sheet, _about(purge))
    _head(sheet, "roll_paper.deleted")
    _table(sheet, [(f"roll_paper.deleted_{name}", f"{purge.facts['deleted'][name]:,}") for name in DELETED])
    _head(sheet, "roll_paper.packages")
    for place, package in enumerate(purge.facts["packages"], 1):
        sheet.add_paragraph(f"{place}. SHA-256 {package['hash']}").runs[0].font.size = _SMALL
        made = datetime.fromisoformat(package["made_at"])
        _said(sheet, "roll_paper.package", size=_SMALL, rows=f"{package['rows']:,}", at=_moment(made))
    _head(sheet, "roll_paper.key")
    _said(sheet, "roll_paper.key_ids", ids="、".join(purge.facts["key_ids"]))
    key = purge.facts["key"]
    at = _moment(datetime.fromisoformat(key["at"])) if key["at"] else "—"
    _said(sheet, f"roll_paper.key_{KeyEnd(key['end']).value}", at=at, why=key["why"] or "—")
    _said(sheet, "roll_paper.storage_done" if purge.facts["storage"] else "roll_paper.storage_open")
    _head(sheet, "roll_paper.after")
    last = beijing_day(purge.done_at + BACKUPS)
    _said(sheet, "roll_paper.backups", day=_day(last), days=BACKUPS.days)
    _said(sheet, "roll_paper.offline")
    _head(sheet, "roll_paper.signatures")
    for key_name in ("asked", "done", "half_one", "half_two"):
        _said(sheet, f"roll_paper.sign_{key_name}", line=_LINE, name=purge.facts.get(f"{key_name}_by", ""))
    return _still(sheet)


def _about(purge: RollPurge) -> list[tuple[str, str]]:
    assert purge.done_at is not None
    facts = purge.facts
    day = facts["election_day"]
    found = [
        ("roll_paper.election", purge.election),
        ("roll_paper.election_day", _day(date.fromisoformat(day)) if day else "—"),
        ("roll_paper.basis", purge.basis),
        ("roll_paper.asked", f"{facts['asked_by']}，{_moment(purge.asked_at)}"),
        ("roll_paper.done", f"{facts['done_by']}，{_moment(purge.done_at)}"),
    ]  # fmt: skip
    if facts["early"]:
        found.insert(3, ("roll_paper.early", facts["early"]))
    return found


def _sheet(at: datetime, office: str) -> Sheet:
    sheet = Document()
    normal = sheet.styles["Normal"]
    normal.font.name, normal.font.size = "Times New Roman", _BODY
    normal.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体")
    normal.paragraph_format.space_after = Pt(4)
    for section in sheet.sections:
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2.5)
        section.top_margin = section.bottom_margin = Cm(2.2)
    told = sheet.core_properties
    told.author = told.last_modified_by = office
    told.title = say("roll_paper.title")
    told.comments = told.keywords = told.subject = told.category = ""
    told.language, told.revision = "zh-CN", 1
    # Word's own times have no zone and mean UTC.
    told.created = told.modified = told.last_printed = at.replace(tzinfo=None, microsecond=0)
    return sheet


def _said(sheet: Sheet, key: str, *, size: Any = _BODY, centred: bool = False, **facts: Any) -> None:
    """A paragraph in Chinese, its English under it, smaller."""
    paragraph = sheet.add_paragraph()
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    chinese = paragraph.add_run(say(key, CHINESE, **facts))
    chinese.font.size, chinese.bold = size, size == _TITLE
    chinese.add_break()
    paragraph.add_run(say(key, ENGLISH, **facts)).font.size = _SMALL if size != _TITLE else _BODY


def _head(sheet: Sheet, key: str) -> None:
    paragraph = sheet.add_paragraph()
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.keep_with_next = Pt(10), True
    paragraph.add_run(say(key, CHINESE)).bold = True
    paragraph.add_run(f"  {say(key, ENGLISH)}").font.size = _SMALL


def _table(sheet: Sheet, rows: list[tuple[str, str]]) -> None:
    made = sheet.add_table(rows=0, cols=2, style="Table Grid")
    made.autofit = False
    for key, value in rows:
        cells = made.add_row().cells
        for cell, width in zip(cells, (Cm(6.5), Cm(9.5)), strict=True):
            cell.width = width
        label = cells[0].paragraphs[0]
        label.add_run(say(key, CHINESE)).add_break()
        label.add_run(say(key, ENGLISH)).font.size = _SMALL
        cells[1].paragraphs[0].add_run(value)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def _day(on: date) -> str:
    return f"{calendar.spoken(on, year=True)} ({on.isoformat()})"


def _still(sheet: Sheet) -> bytes:
    """The file with every entry at one time: a zip otherwise tells when it was packed."""
    packed, made = io.BytesIO(), io.BytesIO()
    sheet.save(packed)
    with zipfile.ZipFile(packed) as found, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as still:
        for name in sorted(found.namelist(), key=_first):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 0, 0
            still.writestr(entry, found.read(name))
    return made.getvalue()


def _first(name: str) -> tuple[bool, str]:
    # Readers that go by the first entry expect this one there.
    return name != "[Content_Types].xml", name
