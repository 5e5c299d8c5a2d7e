"""The head of a printed tip with its rule: the series and its number, or 发文机关标志 in red, 发文字号.

A red head has one number, 发文字号 (GB/T 9704-2012, 7.2.5). 期号 stands below the title in brackets, where a
text says about itself what is neither its title nor its body: 版记 is for who printed it and who gets a copy
(7.4), 附注 for who may read it (7.3.6).
"""

from __future__ import annotations

from typing import Any

from docx.enum.text import WD_TAB_ALIGNMENT
from docx.shared import Twips

from knowledge.tips import TipHead
from office.words import CHINESE, say
from ticketing.tip_paper_facts import PaperFacts, arabic
from ticketing.tip_paper_form import Form, HeadForm, eighths, twips
from ticketing.tip_paper_lines import (
    BLACK,
    CHAIN,
    HEAD,
    HEAD_LINE,
    LEFT,
    PLAIN,
    TITLE,
    blank,
    gap,
    large,
    line,
    rule,
)

BELOW_MARK = 2
BELOW_RULE = 2
"""Lines between 发文机关标志 and 发文字号, between the rule and the title (GB/T 9704-2012, 7.2.5, 7.3.1)."""


def head(paper: Any, facts: PaperFacts, form: Form) -> None:
    """Everything above the addressees: head, rule, title and which issue it replaces."""
    chosen = form.red if facts.head is TipHead.RED else form.plain
    used = _corner(paper, facts) * form.pitch
    gap(paper, twips(chosen.top) - used)
    text = chosen.mark.format(office=facts.office)
    mark = line(paper, HEAD, text)
    large(mark, chosen.size(text, form.room), chosen.colour)
    last = _number(paper, facts) if facts.head is TipHead.RED else _issue(paper, facts, form)
    _rule(last, chosen)
    blank(paper, BELOW_RULE)
    line(paper, TITLE, facts.title)
    if told := below_title(facts):
        line(paper, CHAIN, told)


def below_title(facts: PaperFacts) -> str:
    """（工作提示2026年第3期；本期替代第2期）; what its head says already is not said again."""
    told = [facts.issue if facts.head is TipHead.RED else "", facts.chain]
    text = "；".join(one for one in told if one)
    return say("tip_paper.chain", CHINESE, text=text) if text else ""


def _corner(paper: Any, facts: PaperFacts) -> int:
    """份号 and 密级 in the first lines at the left, if there are any; how many lines they take."""
    told = [(PLAIN, facts.copy_no), (BLACK, facts.classification)]
    for style, text in told:
        if text:
            line(paper, style, text)
    return sum(bool(text) for _, text in told)


def _number(paper: Any, facts: PaperFacts) -> Any:
    blank(paper, BELOW_MARK)
    return line(paper, HEAD_LINE, facts.document_no)


def _issue(paper: Any, facts: PaperFacts, form: Form) -> Any:
    """The number in the middle; below it at the left who edits it, at the right the date."""
    number = line(paper, HEAD_LINE, facts.number or say("tip_paper.number_blank", CHINESE))
    number.paragraph_format.space_before = Twips(form.pitch // 2)
    blank(paper)
    made = line(paper, HEAD_LINE, f"\t{facts.office}", f"\t{arabic(facts.dated)}" if facts.dated else "")
    # Tab stops and no indents: those would shorten the rule as well.
    made.paragraph_format.alignment = LEFT
    stops, character = made.paragraph_format.tab_stops, round(form.character)
    stops.add_tab_stop(Twips(character))
    stops.add_tab_stop(Twips(form.room - character), WD_TAB_ALIGNMENT.RIGHT)
    return made


def _rule(last: Any, chosen: HeadForm) -> None:
    # A rule belongs to its paragraph: drawn by the one above it, it stays there when the title is moved.
    rule(last, chosen.rule, chosen.rule_gap, chosen.colour, eighths(chosen.rule))
