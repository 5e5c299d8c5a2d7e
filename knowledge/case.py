"""What is known of the asker's case sharpens what the matcher found: the nearer office's entry before the wider
one, the entry for a case like theirs before its opposite; and where one fact decides, that fact is asked back.

Nothing here finds an entry that the matcher did not find: a miss stays a miss, and what the matcher would not
offer is never answered with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rapidfuzz import fuzz

from knowledge.match import MAX_CHOICES, Index
from knowledge.outcomes import Candidate, Hit, Miss, Near, Outcome

if TYPE_CHECKING:
    from knowledge.calendar import Span

DATA = Path(__file__).parent.parent / "data"

_ALIKE = 75
"""From this likeness in percent two wordings ask the same, once the words of a fact are left out."""
_SAME = 88
"""From this likeness two whole wordings ask the same of two offices."""
_FOR = 4.0
_AGAINST = 1 / 16
"""How much an entry for a case like the asker's gains, and one for another case loses."""
_SEASON = 1.5
"""How much an entry gains that is asked for at this stage of the election."""
_FAINT = 0.5
"""A third entry must be this much fainter than the second, or the fact alone does not decide."""
_MOST = 0.99
_LITTLE = re.compile(r"[的了吗呢吧啊呀么们人员都就还也]")


@dataclass(frozen=True, slots=True)
class Fact:
    """In what two entries can differ: `said` gives each word's value, None for words that state none."""

    name: str
    lasting: bool
    said: Mapping[str, str | None]
    replies: Mapping[str, str | None]

    def values(self, text: str) -> set[str]:
        """The values that a normalised text states."""
        return {value for word in _any_of(tuple(self.said)).findall(text) if (value := self.said[word])}

    def without(self, text: str) -> str:
        """The text without the words that state the fact."""
        return _any_of(tuple(self.said)).sub(lambda found: "" if self.said[found[0]] else found[0], text)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the election; without `since` it is what comes before the first of the others."""

    name: str
    topics: frozenset[str]
    since: str = ""
    edge: str = "first"
    days: int = 0

    def begins(self, spans: Mapping[Any, Sequence[Span]]) -> date | None:
        """Its first day; None while the day it is counted from is not known."""
        found = spans.get(self.since) or ()
        days = [span.first if self.edge == "first" else span.last for span in found]
        if not days:
            return None
        return (min(days) if self.edge == "first" else max(days)) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Table:
    """Facts, stages and words of `data/case.yaml`."""

    facts: Mapping[str, Fact]
    stages: tuple[Stage, ...]
    others: tuple[str, ...]
    small_talk: tuple[str, ...]

    @classmethod
    def from_data(cls, data: Mapping[str, Any], lexicon: Mapping[str, Any]) -> Table:
        """Build from the parsed YAML and that of the lexicon. Raises KeyError for unknown opposites."""
        opposites = {pair["name"]: pair["classes"] for pair in lexicon["opposites"]}
        none: dict[str, str | None] = dict.fromkeys(data["not_stated"])
        facts = {}
        for row in data["facts"]:
            said, replies = dict(none), dict(none)
            classes = opposites[row["opposites"]] if "opposites" in row else []
            for place, (value, given) in enumerate(row["values"].items()):
                first = classes[place] if place < len(classes) else []
                words = dict.fromkeys((*first, *given["words"]), value)
                said |= words
                replies |= words | dict.fromkeys(given.get("replies", ()), value)
            facts[row["fact"]] = Fact(row["fact"], row["lasting"], said, replies)
        return cls(
            facts,
            tuple(
                Stage(
                    row["stage"], frozenset(row["topics"]), row.get("since", ""), row.get("edge", "first"),
                    row.get("days", 0),
                )
                for row in data["stages"]
            ),
            tuple(data["others"]),
            tuple(data["small_talk"]),
        )  # fmt: skip


@cache
def table() -> Table:
    """The facts and stages this office knows."""

    def read(name: str) -> Any:
        return yaml.safe_load((DATA / name).read_text(encoding="utf-8"))

    return Table.from_data(read("case.yaml"), read("lexicon.yaml"))


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of the asker besides the question: facts and their values, and the stage of the day."""

    facts: Mapping[str, str] = field(default_factory=dict)
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose an entry is: the path of its unit, and whether it was written for askers like this one."""

    path: str
    written_for: bool = True


@dataclass(frozen=True, slots=True)
class AskBack(Near):
    """Choices that differ in one fact only: ask for that; `values` are the choices' values of it."""

    fact: str
    values: tuple[str, ...]

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """Each value and the entry that fits it."""
        ids = (choice.entry_id for choice in self.choices)
        return tuple(zip(self.values, ids, strict=True))


@dataclass(frozen=True, slots=True)
class Profile:
    """What an entry's own wordings say of the cases it is for; the first wording is its standard question."""

    texts: tuple[str, ...]
    facts: Mapping[str, str]


@lru_cache(maxsize=4096)
def profile(texts: tuple[str, ...]) -> Profile:
    """An entry's profile from its normalised wordings.

    It states a value that its standard question or most of its wordings name and that none contradicts.
    """
    facts = {}
    for fact in table().facts.values():
        named = [fact.values(text) for text in texts]
        values = set().union(*named)
        if len(values) == 1 and (named[0] or 2 * sum(map(bool, named)) > len(named)):
            facts[fact.name] = values.pop()
    return Profile(texts, facts)


def stage(spans: Mapping[Any, Sequence[Span]], today: date) -> str:
    """The stage of the election at this day, from its key dates; empty while none of them is known."""
    begun = [(found.begins(spans), found.name) for found in table().stages if found.since]
    known = [(first, name) for first, name in begun if first is not None]
    passed = [name for first, name in known if first <= today]
    if passed:
        return passed[-1]
    before = [found.name for found in table().stages if not found.since]
    return before[0] if known and before else ""


def stated(text: str) -> dict[str, str]:
    """The facts that a normalised text states, each with its one value."""
    found = {fact.name: fact.values(text) for fact in table().facts.values()}
    return {name: values.pop() for name, values in found.items() if len(values) == 1}


def of_others(text: str) -> bool:
    """Whether a normalised text speaks of somebody else than the asker."""
    return any(word in text.replace("其他", "") for word in table().others)


def lasting(facts: Mapping[str, str]) -> dict[str, str]:
    """Those facts that hold for the asker's next questions too."""
    return {name: value for name, value in facts.items() if table().facts[name].lasting}
