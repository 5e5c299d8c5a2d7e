"""Exports as Word documents: a table across A4, its heads and its marks on every page, places to sign.

The same snapshot gives the same bytes: all times in the file are the snapshot's.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

from docx import Document
from docx.document import Document as Paper
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from office import archives
from office.words import CHINESE, say
from ticketing.export_rows import Cell, Marks, Sheet, Snapshot

A4: Final = (Mm(210), Mm(297))
MARGIN, MARGIN_TOP = Mm(12), Mm(18)
LATIN, BODY_FONT, HEAD_FONT, TITLE_FONT = "Times New Roman", "宋体", "黑体", "方正小标宋简体"
# Where a font is missing Word takes another one of its family; no font is ever put into the file.
CELL_STYLE, HEAD_STYLE, SMALL_STYLE, TITLE_STYLE = "DeskCell", "DeskHead", "DeskSmall", "DeskTitle"
_LINE: Final = "＿" * 10


def docx(snapshot: Snapshot) -> bytes:
    """The snapshot as a Word document; upright if it has only two columns, else across."""
    sheet, marks = snapshot.sheet, snapshot.marks
    paper = _paper(sheet, marks)
    title = paper.add_paragraph(sheet.title, style=TITLE_STYLE)
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for note in sheet.notes:
        paper.add_paragraph(note, style=SMALL_STYLE)
    _table(paper, sheet)
    packed = io.BytesIO()
    paper.save(packed)
    return archives.still(packed.getvalue(), marks.at)


def upright(sheet: Sheet) -> bool:
    """Whether a sheet stands upright: one of names and values does."""
    return len(sheet.heads) <= 2


def _paper(sheet: Sheet, marks: Marks) -> Paper:
    paper = Document()
    for name, font, size, bold in (
        (CELL_STYLE, BODY_FONT, Pt(10.5) if upright(sheet) else Pt(7.5), False),
        (HEAD_STYLE, HEAD_FONT, Pt(10.5) if upright(sheet) else Pt(7.5), False),
        (SMALL_STYLE, BODY_FONT, Pt(8), False),
        (TITLE_STYLE, TITLE_FONT, Pt(18), True),
    ):
        _style(paper, name, font, size, bold=bold)
    section = paper.sections[0]
    across = not upright(sheet)
    section.orientation = WD_ORIENT.LANDSCAPE if across else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = A4[::-1] if across else A4
    section.left_margin = section.right_margin = MARGIN
    section.top_margin = section.bottom_margin = MARGIN_TOP
    section.header_distance = section.footer_distance = Mm(7)
    head = section.header.paragraphs[0]
    head.style = SMALL_STYLE
    head.add_run(marks.line())
    foot = section.footer.paragraphs[0]
    foot.style = SMALL_STYLE
    signing = "　　".join(f"{word}：{_LINE}" for word in sheet.signatures)
    foot.add_run(f"{signing}　　" if signing else "")
    _page_of_pages(foot)
    told = paper.core_properties
    told.author = told.last_modified_by = marks.who
    told.title, told.identifier = sheet.title, f"export:{marks.snapshot}"
    told.comments = told.keywords = told.subject = told.category = ""
    told.language, told.revision = "zh-CN", 1
    # Word's own times have no zone and mean UTC.
    at = marks.at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    told.created = told.modified = told.last_printed = at
    return paper


def _style(paper: Paper, name: str, font: str, size: Any, *, bold: bool) -> None:
    made = paper.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    made.base_style = paper.styles["Normal"]
    made.font.name, made.font.size, made.font.bold = LATIN, size, bold
    made.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    made.paragraph_format.space_before = made.paragraph_format.space_after = Pt(0)


def _page_of_pages(paragraph: Any) -> None:
    before, between, after = say("export.pages", CHINESE, page="|", pages="|").split("|")
    paragraph.add_run(before)
    _field(paragraph, "PAGE")
    paragraph.add_run(between)
    _field(paragraph, "NUMPAGES")
    paragraph.add_run(after)


def _field(paragraph: Any, instruction: str) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


# --- the table ----------------------------------------------------------------------------------------------


def _table(paper: Paper, sheet: Sheet) -> None:
    # Rows are made as elements: the library looks through all cells of a table for each one it is asked for.
    table = paper.add_table(rows=0, cols=len(sheet.heads), style="Table Grid")
    table.autofit = False
    section = paper.sections[0]
    room = int((section.page_width or 0) - 2 * MARGIN) // 635  # in twentieths of a point
    whole = sum(sheet.widths)
    widths = [room * part // whole for part in sheet.widths]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width * 635
    body = table._tbl
    body.append(_row(sheet.heads, widths, HEAD_STYLE, repeated=True))
    for row in sheet.rows:
        body.append(_row(row, widths, CELL_STYLE))


def _row(cells: Sequence[Cell], widths: Sequence[int], style: str, *, repeated: bool = False) -> Any:
    row = OxmlElement("w:tr")
    if repeated:
        told = OxmlElement("w:trPr")
        told.append(OxmlElement("w:cantSplit"))
        told.append(OxmlElement("w:tblHeader"))
        row.append(told)
    for cell, width in zip(cells, widths, strict=True):
        row.append(_cell(str(cell), width, style))
    return row


def _cell(text: str, width: int, style: str) -> Any:
    made, told, size = OxmlElement("w:tc"), OxmlElement("w:tcPr"), OxmlElement("w:tcW")
    size.set(qn("w:w"), str(width))
    size.set(qn("w:type"), "dxa")
    told.append(size)
    made.append(told)
    paragraph, about, named = OxmlElement("w:p"), OxmlElement("w:pPr"), OxmlElement("w:pStyle")
    named.set(qn("w:val"), style)
    about.append(named)
    paragraph.append(about)
    run = OxmlElement("w:r")
    for number, line in enumerate(text.split("\n")):
        if number:
            run.append(OxmlElement("w:br"))
        words = OxmlElement("w:t")
        words.text = line
        words.set(qn("xml:space"), "preserve")
        run.append(words)
    paragraph.append(run)
    made.append(paragraph)
    return made
