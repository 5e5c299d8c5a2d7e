"""What must not stand in a text that askers read, and what an entry must fulfil before it is published.

Every finding names its wording.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.milestones import DateKind

RULES = Path(__file__).parent.parent / "data" / "lint.yaml"
LONGEST_SHORT_ANSWER = 120
FEWEST_PHRASINGS = 3
SHORTEST_PHRASING = 5
VARIABLES = frozenset(
    {
        *(f"cal.{kind.value}" for kind in DateKind),
        "office.name", "office.phone", "office.address", "office.hours", "district",
    }
)  # fmt: skip

_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
SHANGHAI = "shanghai"

_NUMBER = "[零〇一二三四五六七八九十]{1,3}"
_MONTHS = "Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec"
# A day is written in many ways, and each of them grows old. A month alone, a span of days (5日内) and the
# hour are none; nor is a decimal figure with its unit.
_DATE = re.compile(
    r"\d{1,4}\s*年\s*\d{1,2}\s*月|[零〇一二三四五六七八九]{4}年[零〇一二三四五六七八九十]{1,3}月"
    r"|\d{1,2}\s*月\s*(?:\d{1,2}\s*[日号]|[初底中末]|[上中下]旬)"
    rf"|(?<![个满到近足整]){_NUMBER}月(?:份?{_NUMBER}[日号]|[初底中末](?!学)|[上中下]旬)"
    r"|(?<![\d-])(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}(?![\d-])"
    r"|(?<![\d.A-Za-z第])(?:0?[1-9]|1[0-2])\.(?:0[1-9]|[12]\d|3[01]|[1-9])(?![\d.]|\s*[%％‰万亿千百元米公倍小个度岁年版GMKgmk])"
    rf"|\b(?:{_MONTHS})[a-z]*\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?!\s+[a-z])"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTHS})[a-z]*\b"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: `key` is its wording, `blocks` whether it stops publication."""

    key: str
    blocks: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)


@cache
def _rules() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return loaded


def check(
    *,
    topic_known: bool,
    question: str,
    phrasings: Sequence[str],
    aliases: Sequence[str],
    short: str,
    texts: Iterable[str],
    basis: Sequence[Mapping[str, str]],
    plain: bool,
) -> list[Problem]:
    """All findings about one entry, those that block first.

    `plain` asks for a voter's words as well, which warns and never blocks.
    """
    found: list[Problem] = []
    answer = [short, *texts]
    if not topic_known:
        found.append(Problem("lint_topic"))
    if not question.strip():
        found.append(Problem("lint_question"))
    if len(phrasings) < FEWEST_PHRASINGS:
        found.append(Problem("lint_phrasings", facts={"least": FEWEST_PHRASINGS}))
    if any(len(text) >= SHORTEST_PHRASING for text in aliases):
        found.append(Problem("lint_alias", facts={"below": SHORTEST_PHRASING}))
    if not short.strip() or len(short) > LONGEST_SHORT_ANSWER:
        found.append(Problem("lint_short", facts={"most": LONGEST_SHORT_ANSWER}))
    if not any(citation.get("law", "").strip() for citation in basis):
        found.append(Problem("lint_basis"))
    found += in_texts(answer)
    for text in answer if plain else ():
        for said, better in _rules()["plain_words"].items():
            if said in text:
                facts = {"said": said, "better": better}
                found.append(Problem("lint_plain_word", blocks=False, facts=facts))
    return sorted(found, key=lambda problem: not problem.blocks)


def in_texts(
    texts: Iterable[str], *, variables: Collection[str] = VARIABLES, region: str = SHANGHAI
) -> list[Problem]:
    """What must not stand in any text that askers read: entries, pack rows, notes of stations and of days.

    Dates written out, unknown variables, and claims known to be wrong; a claim that is wrong in one region
    only is looked for there. `variables` are those that will be filled in: none where nothing fills them.
    """
    return [problem for text in texts for problem in _in_text(text, variables, region)]


def _in_text(text: str, variables: Collection[str], region: str) -> Iterator[Problem]:
    if date := _DATE.search(text):
        yield Problem("lint_date", facts={"date": date[0]})
    for name in _VARIABLE.findall(text):
        if name not in variables:
            yield Problem("lint_variable", facts={"name": name})
    if "{{" in _VARIABLE.sub("", text) or "{%" in text:
        yield Problem("lint_variable", facts={"name": "{{"})
    for claim in _rules()["wrong_claims"]:
        if claim.get("region", region) == region and re.search(claim["pattern"], text):
            yield Problem("lint_wrong_claim", facts={"correct": claim["correct"]})


def variables_in(texts: Iterable[str]) -> set[str]:
    """The names of the variables that stand in the texts."""
    return {name for text in texts for name in _VARIABLE.findall(text)}


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its `{{ name }}` variables replaced; nothing else in it is ever interpreted.

    Raises `KeyError` for a name without a value, which lint keeps out of published entries.
    """
    return _VARIABLE.sub(lambda found: values[found.group(1)], text)
