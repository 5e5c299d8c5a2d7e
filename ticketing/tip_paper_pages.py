"""The pages of a printed tip: size and margins, the grid, page numbers outside, and the mark on each."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

from docx import Document
from docx.document import Document as Paper
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.oxml import serialize_part_xml
from docx.oxml.ns import qn
from docx.shared import Mm, Twips

from ticketing.tip_paper_facts import PaperFacts
from ticketing.tip_paper_form import Form
from ticketing.tip_paper_lines import FOOT, LEFT, MARK, RIGHT, field, fonts, indent, styles

DASH: Final = "—"
"""一字线, on both sides of the page number (GB/T 9704-2012, 7.5)."""
MARK_AT: Final = 22
"""From the upper edge of the sheet to the mark, in millimetres: in the middle of the empty margin."""

UNUSED: Final = ("stylesWithEffects", "customXml", "numbering")


def begun(facts: PaperFacts, form: Form) -> Paper:
    """An empty document with pages, styles, heads and feet."""
    paper = Document()
    _cleared(paper, form)
    styles(paper, form)
    section = paper.sections[0]
    page = form.page
    section.page_width, section.page_height = Mm(page.width), Mm(page.height)
    section.top_margin, section.bottom_margin = Mm(page.top), Mm(page.bottom)
    section.left_margin, section.right_margin = Mm(page.left), Mm(page.right)
    section.header_distance, section.footer_distance = Mm(MARK_AT), Twips(form.footer_distance)
    grid = section._sectPr.find(qn("w:docGrid"))
    grid.set(qn("w:type"), "linesAndChars")
    grid.set(qn("w:linePitch"), str(form.pitch))
    grid.set(qn("w:charSpace"), str(form.character_space))
    paper.settings.odd_and_even_pages_header_footer = True
    for header in (section.header, section.even_page_header):
        header.is_linked_to_previous = False
        told = header.paragraphs[0]
        told.style = MARK
        told.add_run(facts.mark)
    for footer, aligned, side in (
        (section.footer, RIGHT, "right"), (section.even_page_footer, LEFT, "left"),
    ):  # fmt: skip
        number = footer.paragraphs[0]
        number.style = FOOT
        number.alignment = aligned
        scale = form.small_size / form.text_size
        indent(number._p.get_or_add_pPr(), form, scale=scale, **{side: 1})
        number.add_run(f"{DASH} ")
        field(number, "PAGE")
        number.add_run(f" {DASH}")
    _told(paper, facts)
    return paper


def _cleared(paper: Paper, form: Form) -> None:
    """Take out of the library's template what an official text does not have, and say that it is Chinese."""
    defaults = paper.styles.element.find(qn("w:docDefaults"))
    about = defaults.find(qn("w:rPrDefault")).find(qn("w:rPr"))
    name = form.font("text")
    written = about.find(qn("w:rFonts"))
    # A font of the theme would go before the one that is named.
    written.attrib.clear()
    for script in ("ascii", "eastAsia", "hAnsi", "cs"):
        written.set(qn(f"w:{script}"), name)
    for size in ("sz", "szCs"):
        about.find(qn(f"w:{size}")).set(qn("w:val"), str(round(form.text_size * 2)))
    about.find(qn("w:lang")).set(qn("w:eastAsia"), "zh-CN")
    spaced = defaults.find(qn("w:pPrDefault")).find(qn("w:pPr"))
    for child in list(spaced):
        spaced.remove(child)
    _only_needed(paper)
    settings = paper.settings.element
    settings.find(qn("w:themeFontLang")).set(qn("w:eastAsia"), "zh-CN")
    for told in settings.iter(qn("w:compatSetting")):
        if told.get(qn("w:name")) == "compatibilityMode":
            told.set(qn("w:val"), "15")
    for found in list(settings.findall(qn("w:savePreviewPicture"))):
        settings.remove(found)
    _without_picture(paper)
    for part in paper.part.package.iter_parts():
        if part.partname == "/word/fontTable.xml":
            part._blob = serialize_part_xml(fonts(form.fonts.values()))


def _only_needed(paper: Paper) -> None:
    """Leave out the template's styles that nothing here uses: seven eighths of the time it takes."""
    styles = paper.styles.element
    for style in list(styles.style_lst):
        if style.get(qn("w:default")) is None:
            styles.remove(style)
    rels: dict[str, Any] = paper.part.rels
    for key, rel in list(rels.items()):
        if rel.reltype.rpartition("/")[2] in UNUSED:
            del rels[key]


def _without_picture(paper: Paper) -> None:
    """The template comes with a picture of itself, which file managers would show for the tip."""
    rels: dict[str, Any] = paper.part.package.rels
    for key, rel in list(rels.items()):
        if rel.reltype == RELATIONSHIP_TYPE.THUMBNAIL:
            del rels[key]


def _told(paper: Paper, facts: PaperFacts) -> None:
    told = paper.core_properties
    told.author = told.last_modified_by = facts.office
    told.title, told.identifier = facts.title, facts.key
    told.comments = told.keywords = told.subject = told.category = ""
    told.language, told.revision = "zh-CN", 1
    # Word's own times have no zone and mean UTC.
    at = facts.at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    told.created = told.modified = told.last_printed = at
