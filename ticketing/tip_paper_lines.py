"""Lines of a printed tip as elements of a document: styles, indents in characters, rules, all in their order.

Word refuses a file whose elements stand in another order than the schema has them (ECMA-376, 17.3.1.26).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from docx.document import Document as Paper
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor, Twips

from ticketing.tip_paper_form import TIGHT, TWIPS_A_POINT, Form

PLAIN, TEXT, TITLE, CHAIN = "TipPlain", "TipText", "TipTitle", "TipChain"
LEVEL_1, LEVEL_2, LEAD_1, LEAD_2 = "TipLevel1", "TipLevel2", "TipLead1", "TipLead2"
HEAD, HEAD_LINE, BLACK, SMALL, FOOT, MARK = (
    "TipHead", "TipHeadLine", "TipBlack", "TipSmall", "TipFoot", "TipMark",
)  # fmt: skip
RED: Final = "FF0000"
LEFT, CENTRE, RIGHT, BOTH = (
    WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.JUSTIFY,
)  # fmt: skip
_HIGHEST_GAP: Final = 31
"""A rule stands at most so many points from its text (ECMA-376, 17.3.4: `space`)."""
_ORDER: Final = (
    "pStyle", "keepNext", "keepLines", "pageBreakBefore", "framePr", "widowControl", "numPr",
    "suppressLineNumbers", "pBdr", "shd", "tabs", "suppressAutoHyphens", "kinsoku", "wordWrap",
    "overflowPunct", "topLinePunct", "autoSpaceDE", "autoSpaceDN", "bidi", "adjustRightInd", "snapToGrid",
    "spacing", "ind", "contextualSpacing", "mirrorIndents", "suppressOverlap", "jc", "textDirection",
    "textAlignment", "textboxTightWrap", "outlineLvl", "divId", "cnfStyle", "rPr", "sectPr", "pPrChange",
)  # fmt: skip

_RUN_ORDER: Final = ("spacing", "w", "kern", "position", "sz", "szCs", "highlight", "u", "effect", "lang")


def styles(paper: Paper, form: Form) -> None:
    """Give the document the styles of an official text; everything that is not set is that of the text."""
    normal = paper.styles["Normal"]
    _font(normal, form.font("text"), form.text_size)
    told = normal.paragraph_format
    told.line_spacing_rule, told.line_spacing = WD_LINE_SPACING.EXACTLY, Twips(form.pitch)
    told.space_before = told.space_after = Pt(0)
    # The grid by other means, lines of one height and a little less between characters: programs do not agree
    # on what a grid makes of a character that is wider than its cell, and one of them gives it two.
    place_spacing(normal.element.get_or_add_rPr(), form.spacing)
    told.widow_control = False
    for name in ("autoSpaceDE", "autoSpaceDN", "snapToGrid"):
        place(normal.element.get_or_add_pPr(), element(name, val="0"))
    title, text, small = form.title_size, form.text_size, form.small_size
    for name, font, size, aligned, colour, level in (
        (PLAIN, "text", text, LEFT, "", None),
        (TEXT, "text", text, BOTH, "", None),
        (TITLE, "title", title, CENTRE, "", None),
        (CHAIN, "level_2", text, CENTRE, "", None),
        (LEVEL_1, "level_1", text, BOTH, "", 0),
        (LEVEL_2, "level_2", text, BOTH, "", 1),
        (HEAD, "title", title, CENTRE, "", None),
        (HEAD_LINE, "text", text, CENTRE, "", None),
        (BLACK, "level_1", text, LEFT, "", None),
        (SMALL, "text", small, LEFT, "", None),
        (FOOT, "page_number", small, LEFT, "", None),
        (MARK, "level_1", small, CENTRE, RED, None),
    ):
        made = paper.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        made.base_style = normal
        _font(made, form.font(font), size, colour)
        made.paragraph_format.alignment = aligned
        made.paragraph_format.keep_with_next = True if level is not None else None
        if name in (TEXT, LEVEL_1, LEVEL_2):
            indent(made.element.get_or_add_pPr(), form, first=2)
        if level is not None:
            place(made.element.get_or_add_pPr(), element("outlineLvl", val=str(level)))
        if name in (HEAD_LINE, FOOT, MARK):
            height(made, round(size * TWIPS_A_POINT * TIGHT))
    for name, font in ((LEAD_1, "level_1"), (LEAD_2, "level_2")):
        _font(paper.styles.add_style(name, WD_STYLE_TYPE.CHARACTER), form.font(font), None)


def line(paper: Any, style: str, *texts: str | tuple[str, str]) -> Any:
    """A paragraph at the end of `paper` (a document, a cell, a head); a pair is a text and its own style."""
    made = paper.add_paragraph(style=style)
    for text in texts:
        if isinstance(text, str):
            made.add_run(text)
        else:
            made.add_run(text[0], style=text[1])
    return made


def blank(paper: Any, count: int = 1, *, keep: bool = False) -> None:
    """So many empty lines; with `keep` they stay with what follows."""
    for _ in range(count):
        line(paper, PLAIN).paragraph_format.keep_with_next = True if keep else None


def gap(paper: Any, high: int) -> None:
    """Empty space of so many twips. At the top of a page Word would pass over space before a text."""
    if high > 0:
        height(line(paper, PLAIN), high)


def height(made: Any, high: int) -> None:
    """Set a paragraph or style to lines of exactly so many twips."""
    made.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    made.paragraph_format.line_spacing = Twips(high)


def indent(
    about: Any,
    form: Form,
    *,
    left: float = 0,
    right: float = 0,
    first: float = 0,
    hanging: float = 0,
    scale: float = 1,
) -> None:
    """Indent a paragraph's properties by characters; `scale`: their size against that of the text."""
    made = about.get_or_add_ind()
    for name, count in (("left", left), ("right", right), ("firstLine", first), ("hanging", hanging)):
        if count:
            # In hundredths of a character for Word, in twips for readers that do not know those.
            made.set(qn(f"w:{name}Chars"), str(round(count * 100)))
            made.set(qn(f"w:{name}"), str(round(count * scale * form.character)))


def rule(paragraph: Any, millimetres: float, gap_millimetres: float, colour: str, eighths: int) -> None:
    """A rule below the paragraph, as wide as the type area; `eighths` is its thickness."""
    points = min(_HIGHEST_GAP, round(gap_millimetres / 25.4 * 72))
    if millimetres > 0:
        edges = element("pBdr")
        edges.append(element("bottom", val="single", sz=str(eighths), space=str(points), color=colour))
        place(paragraph._p.get_or_add_pPr(), edges)


def large(paragraph: Any, size: float, colour: str) -> None:
    """Set what is written so far in another size (points) and colour, in lines that fit it."""
    for run in paragraph.runs:
        run.font.size, run.font.color.rgb = Pt(size), RGBColor.from_string(colour)
    height(paragraph, round(size * TWIPS_A_POINT * TIGHT))


def field(paragraph: Any, instruction: str) -> None:
    """A field that Word fills in, such as PAGE."""
    made, run, text = element("fldSimple", instr=instruction), element("r"), element("t")
    text.text = "1"
    run.append(text)
    made.append(run)
    paragraph._p.append(made)


def place(parent: Any, child: Any, order: Sequence[str] = _ORDER) -> None:
    """Put an element among its siblings where the schema wants it."""
    name = child.tag.rpartition("}")[2]
    later = {qn(f"w:{one}") for one in order[order.index(name) + 1 :]}
    follower = next((one for one in parent if one.tag in later), None)
    if follower is None:
        parent.append(child)
    else:
        follower.addprevious(child)


def place_spacing(about: Any, amount: int) -> None:
    """Set the space between characters, in twips, among the properties of a run."""
    place(about, element("spacing", val=str(amount)), _RUN_ORDER)


def element(name: str, /, **values: str) -> Any:
    """An element of the document's own names with its attributes."""
    made = OxmlElement(f"w:{name}")
    for key, value in values.items():
        made.set(qn(f"w:{key}"), value)
    return made


def fonts(names: Iterable[tuple[str, ...]]) -> Any:
    """The table of fonts: each with the names under which it may be found instead."""
    table = element("fonts")
    for name, *others in dict.fromkeys(names):
        font = element("font", name=name)
        if others:
            font.append(element("altName", val=",".join(others)))
        for key, value in (("charset", "86"), ("family", "auto"), ("pitch", "variable")):
            font.append(element(key, val=value))
        table.append(font)
    return table


def _font(style: Any, name: str, size: float | None, colour: str = "") -> None:
    # One font for all scripts: the standard knows one for each element, and quotation marks stay wide.
    style.font.name = name
    told = style.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("eastAsia", "cs"):
        told.set(qn(f"w:{script}"), name)
    if size is not None:
        style.font.size = Pt(size)
    if colour:
        style.font.color.rgb = RGBColor.from_string(colour)
