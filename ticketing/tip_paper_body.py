"""The text of a printed tip: addressees, numbered parts, the list of attachments, and each attachment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from knowledge.tip_words import NUMERALS
from office.words import CHINESE, say
from ticketing.tip_paper_facts import PaperFacts
from ticketing.tip_paper_form import Form, width
from ticketing.tip_paper_lines import (
    BLACK,
    LEAD_1,
    LEAD_2,
    LEVEL_1,
    LEVEL_2,
    PLAIN,
    TEXT,
    TITLE,
    blank,
    indent,
    line,
)

LONGEST_LEAD: Final = 40
"""What is longer is a sentence that begins with a number, not a heading."""
LONGEST_BOUND: Final = 140
_LEVELS: Final = (
    (re.compile(rf"[{NUMERALS}]{{1,3}}、"), LEVEL_1, LEAD_1),
    (re.compile(rf"[（(][{NUMERALS}]{{1,3}}[）)]"), LEVEL_2, LEAD_2),
)
_SPACED_NUMBER: Final = re.compile(r"^(\d{1,2}[.．、]|[（(]\d{1,2}[）)])\s+(?=\D)")


def body(paper: Any, facts: PaperFacts) -> None:
    """From the addressees to the last line before the signature."""
    if facts.addressed_to:
        blank(paper)
        line(paper, PLAIN, say("tip_paper.address", CHINESE, text=facts.addressed_to))
    else:
        blank(paper)
    for part in facts.parts:
        line(paper, LEVEL_1, part.title)
        texts(paper, part.lines)


def texts(paper: Any, lines: Sequence[str]) -> None:
    """The lines of a part: headings in the font of their level, the rest as text."""
    for text in lines:
        _text(paper, _SPACED_NUMBER.sub(r"\1", text))


def listed(paper: Any, facts: PaperFacts, form: Form) -> None:
    """附件说明: one line below the text, two characters in; several are numbered, one alone is not."""
    if not facts.attachments:
        return
    blank(paper, keep=True)
    word = say("tip_paper.attachments", CHINESE)
    several = len(facts.attachments) > 1
    for number, attachment in enumerate(facts.attachments, 1):
        before = f"{number}." if several else ""
        lead = word if number == 1 else ""
        made = line(paper, PLAIN, f"{lead}{before}{_title(attachment.title, attachment.lines)}")
        made.paragraph_format.keep_with_next = True
        names = 2 + width(word) + width(before)
        indent(made._p.get_or_add_pPr(), form, left=names, hanging=width(lead) + width(before))


def attachments(paper: Any, facts: PaperFacts) -> None:
    """Each attachment on its own page: 附件 with its number in the first line, the title in the third.

    One that says nothing takes no page. It stays among those that are listed, with its number: in the group
    and on its page the others are counted so.
    """
    several = len(facts.attachments) > 1
    for number, attachment in enumerate(facts.attachments, 1):
        told = attachment.lines if attachment.title else attachment.lines[1:]
        if not told:
            continue
        word = say("tip_paper.attachment", CHINESE)
        line(paper, BLACK, f"{word}{number}" if several else word).paragraph_format.page_break_before = True
        blank(paper)
        title = _title(attachment.title, attachment.lines)
        line(paper, TITLE, title)
        blank(paper)
        texts(paper, told)


def _title(title: str, lines: Sequence[str]) -> str:
    return title or lines[0]


def _text(paper: Any, text: str) -> None:
    for begins, level, lead in _LEVELS:
        found = begins.match(text)
        if found is None:
            continue
        first, stop, rest = text.partition("。")
        if len(first) > LONGEST_LEAD:
            break
        if rest:
            line(paper, TEXT, (first + stop, lead), rest)
        else:
            line(paper, level, text)
        return
    line(paper, TEXT, text)


def bound(paper: Any) -> None:
    """Keep the last paragraph with what follows: no page bears a seal and nothing else (7.3.5.5).

    Not a long one, which would go to the next page as a whole.
    """
    last = paper.paragraphs[-1]
    if len(last.text) <= LONGEST_BOUND:
        last.paragraph_format.keep_with_next = True
