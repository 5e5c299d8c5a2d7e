"""The end of a printed tip: 署名, 成文日期 and room for the seal, 附注; 版记 at the foot of the last page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docx.enum.text import WD_TAB_ALIGNMENT
from docx.shared import Pt, Twips

from office.words import CHINESE, say
from ticketing.tip_paper_facts import PaperFacts, arabic
from ticketing.tip_paper_form import Form, eighths, width
from ticketing.tip_paper_lines import (
    PLAIN,
    RIGHT,
    SMALL,
    TEXT,
    blank,
    element,
    height,
    indent,
    line,
)

DATE_RIGHT = 4
"""成文日期 stands four characters from the right, 署名 centred above it (GB/T 9704-2012, 7.3.5.1)."""


def signature(paper: Any, facts: PaperFacts, form: Form) -> None:
    """Who signs and when; an unsigned tip leaves the date to be written. Above it is room for the seal."""
    blank(paper, form.seal_lines, keep=True)
    day = arabic(facts.dated) if facts.dated else say("tip_paper.date_blank", CHINESE)
    beside = max(0.0, DATE_RIGHT + width(day) / 2 - width(facts.office) / 2)
    for text, right, keep in ((facts.office, beside, True), (day, DATE_RIGHT, bool(facts.note))):
        made = line(paper, PLAIN, text)
        made.paragraph_format.keep_with_next = True if keep else None
        made.paragraph_format.alignment = RIGHT
        indent(made._p.get_or_add_pPr(), form, right=right)
    if facts.note:
        line(paper, TEXT, say("tip_paper.note", CHINESE, text=facts.note))


def closing(paper: Any, facts: PaperFacts, form: Form) -> None:
    """版记 at the foot of the last page: 抄送, 印发机关 and 印发日期 between rules.

    Below the last rule, where the standard has nothing: who wrote and signed it, how many were printed.
    A table that Word places at the lower margin of the page on which the line after it stands.
    """
    table = paper.add_table(rows=0, cols=1)
    rows = [_copied] if facts.copied_to else []
    rows.append(_printed)
    for number, fill in enumerate(rows):
        cell = table.add_row().cells[0]
        _rules(cell, form, first=number == 0, last=number == len(rows) - 1)
        fill(cell, facts, form)
    if facts.print_run or facts.people:
        run = say("tip_paper.print_run", CHINESE, n=facts.print_run) if facts.print_run else ""
        _apart(table.add_row().cells[0], "　".join(facts.people), run, form)
    _at_the_foot(table, form)
    # A document ends with a paragraph; this one is the line to which the table belongs.
    height(line(paper, PLAIN), 20)


def _copied(cell: Any, facts: PaperFacts, form: Form) -> None:
    word = say("tip_paper.copied", CHINESE)
    made = _filled(cell, f"{word}{facts.copied_to}。")
    scale = form.small_size / form.text_size
    indent(
        made._p.get_or_add_pPr(), form, left=1 + width(word), right=1, hanging=width(word), scale=scale
    )  # fmt: skip


def _printed(cell: Any, facts: PaperFacts, form: Form) -> None:
    day = arabic(facts.printed) if facts.printed else say("tip_paper.date_blank", CHINESE)
    _apart(cell, facts.office, say("tip_paper.printed", CHINESE, day=day), form)


def _apart(cell: Any, left: str, right: str, form: Form) -> None:
    """A line with one text at each side, a character from the edge."""
    made = _filled(cell, left, f"\t{right}" if right else "")
    scale = form.small_size / form.text_size
    indent(made._p.get_or_add_pPr(), form, left=1, right=1, scale=scale)
    made.paragraph_format.tab_stops.add_tab_stop(
        Twips(form.room - round(form.character * scale)), WD_TAB_ALIGNMENT.RIGHT
    )


def _filled(cell: Any, *words: str) -> Any:
    made = cell.paragraphs[0]
    made.style = SMALL
    for text in words:
        made.add_run(text)
    made.paragraph_format.space_after = Pt(0)
    return made


def _rules(cell: Any, form: Form, *, first: bool, last: bool) -> None:
    edges = element("tcBorders")
    for name, outer in (("top", first), ("bottom", last)):
        thick = form.outer_rule if outer else form.inner_rule
        edges.append(element(name, val="single", sz=str(eighths(thick)), space="0", color="000000"))
    cell._tc.get_or_add_tcPr().append(edges)


def _at_the_foot(table: Any, form: Form) -> None:
    """The properties of the table, in the order of the schema (ECMA-376, 17.4.59)."""
    about = table._tbl.tblPr
    for child in list(about):
        about.remove(child)
    margins = element("tblCellMar")
    for side in ("left", "right"):
        margins.append(element(side, w="0", type="dxa"))
    told: Sequence[Any] = (
        element(
            "tblpPr", leftFromText="0", rightFromText="0", vertAnchor="margin", horzAnchor="margin",
            tblpXSpec="left", tblpYSpec="bottom",
        ),
        element("tblOverlap", val="never"),
        element("tblW", w=str(form.room), type="dxa"),
        element("tblLayout", type="fixed"),
        margins,
    )  # fmt: skip
    about.extend(told)
    for column in table.columns:
        column.width = Twips(form.room)
    for row in table.rows:
        row.cells[0].width = Twips(form.room)
