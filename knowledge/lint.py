"""What an entry must fulfil before it may be published; every finding names its wording."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).parent.parent / "data" / "lint.yaml"
LONGEST_SHORT_ANSWER = 120
FEWEST_PHRASINGS = 3
SHORTEST_PHRASING = 5
VARIABLES = frozenset(
    {
        *(f"cal.{name}" for name in (
            "day", "voting", "age_line", "registration", "list_posted", "appeals_close", "suits_close",
            "list_amended", "nominees_posted", "candidates_posted",
        )),
        "office.name", "office.phone", "office.address", "office.hours", "district",
    }
)  # fmt: skip

_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_DATE = re.compile(r"\d{1,4}\s*年\s*\d{1,2}\s*月|\d{1,2}\s*月\s*\d{1,2}\s*[日号]|\b20\d\d-\d{1,2}-\d{1,2}\b")


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
    for text in answer:
        if dates := _DATE.findall(text):
            found.append(Problem("lint_date", facts={"date": dates[0]}))
        for name in _VARIABLE.findall(text):
            if name not in VARIABLES:
                found.append(Problem("lint_variable", facts={"name": name}))
        if "{{" in _VARIABLE.sub("", text) or "{%" in text:
            found.append(Problem("lint_variable", facts={"name": "{{"}))
        for claim in _rules()["wrong_claims"]:
            if re.search(claim["pattern"], text):
                found.append(Problem("lint_wrong_claim", facts={"correct": claim["correct"]}))
        if plain:
            for said, better in _rules()["plain_words"].items():
                if said in text:
                    facts = {"said": said, "better": better}
                    found.append(Problem("lint_plain_word", blocks=False, facts=facts))
    return sorted(found, key=lambda problem: not problem.blocks)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its `{{ name }}` variables replaced; nothing else in it is ever interpreted.

    Raises `KeyError` for a name without a value, which lint keeps out of published entries.
    """
    return _VARIABLE.sub(lambda found: values[found.group(1)], text)
