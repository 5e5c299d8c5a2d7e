"""The case an asker is in: facts that decide which entry is theirs, and the election stage."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from knowledge.match import Index

if TYPE_CHECKING:
    from knowledge.milestones import KeyDate

DATA = Path(__file__).parent.parent / "data"

_OTHERWISE = 10
"""Of so many wordings that name an entry's value, one may name another value."""


@dataclass(frozen=True, slots=True)
class Fact:
    """In what two entries can differ: `said` gives each word's value, None for words that state none."""

    name: str
    lasting: bool
    said: Mapping[str, str | None]
    replies: Mapping[str, str | None]

    def value(self, text: str) -> str | None:
        """The one value that a normalised text states; None if it states none, or two."""
        values = {value for word in any_of(tuple(self.said)).findall(text) if (value := self.said[word])}
        return values.pop() if len(values) == 1 else None

    def without(self, text: str) -> str:
        """The text without the words that state the fact."""
        return any_of(tuple(self.said)).sub(lambda found: "" if self.said[found[0]] else found[0], text)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the election; without `since` it is what comes before the first of the others."""

    name: str
    topics: frozenset[str]
    since: str = ""
    edge: str = "first"
    days: int = 0

    def begins(self, spans: Mapping[Any, Sequence[KeyDate]]) -> date | None:
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


UNKNOWN = Case()


@dataclass(frozen=True, slots=True)
class Profile:
    """What an entry's own wordings say of the cases it is for; the first wording is its standard question."""

    texts: tuple[str, ...]
    facts: Mapping[str, str]


@lru_cache(maxsize=4096)
def profile(texts: tuple[str, ...]) -> Profile:
    """An entry's profile from its normalised wordings.

    It states a value that most of its wordings name, where hardly one in ten of these names another. A
    wording that names two speaks of a case in between.
    """
    facts = {}
    for fact in table().facts.values():
        named = Counter(value for text in texts if (value := fact.value(text)))
        for value, times in named.most_common(1):
            if 2 * times > len(texts) and _OTHERWISE * (named.total() - times) <= times:
                facts[fact.name] = value
    return Profile(texts, facts)


def profile_of(index: Index, entry_id: int) -> Profile | None:
    """The profile of an entry in force; None for one that is not."""
    entry = index.book.entries.get(entry_id)
    if entry is None:
        return None
    return profile(tuple(index.book.phrasings[number].form.text for number in entry.numbers))


def stage(spans: Mapping[Any, Sequence[KeyDate]], today: date) -> str:
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
    return {fact.name: value for fact in table().facts.values() if (value := fact.value(text))}


def of_others(text: str) -> bool:
    """Whether a normalised text speaks of somebody else than the asker."""
    return any(word in text.replace("其他", "") for word in table().others)


def lasting(facts: Mapping[str, str]) -> dict[str, str]:
    """Those facts that hold for the asker's next questions too."""
    return {name: value for name, value in facts.items() if table().facts[name].lasting}


def the_difference(profiles: Sequence[Profile]) -> str:
    """The one fact in which these entries all differ; empty if there is none, or more than one.

    What an entry says of its asker, and another leaves open, is a difference too.
    """
    differing = {name for name in table().facts if len({known.facts.get(name) for known in profiles}) > 1}
    told = {name for name in differing if len({known.facts.get(name) for known in profiles} - {None}) > 1}
    if len(told) != 1 or any(table().facts[name].lasting for name in differing - told):
        return ""
    name = told.pop()
    values = {known.facts[name] for known in profiles if name in known.facts}
    return name if len(values) == len(profiles) else ""


def told(text: str, offered: Mapping[int, Profile]) -> int | None:
    """Which of the offered entries a few normalised words choose: 外地的 where one fact decides, else words
    that state a fact by themselves, if the entries differ in it and one alone is for that value."""
    name = the_difference(list(offered.values()))
    if name:
        return _fitting(text, offered, name, table().facts[name].replies)
    found = {_fitting(text, offered, fact.name, fact.said) for fact in table().facts.values()} - {None}
    return found.pop() if len(found) == 1 else None


def _fitting(
    text: str, offered: Mapping[int, Profile], name: str, meaning: Mapping[str, str | None]
) -> int | None:
    if len({known.facts[name] for known in offered.values() if name in known.facts}) < 2:
        return None
    words = any_of(tuple(meaning))
    values = {meaning[word] for word in words.findall(text)}
    if len(values) != 1 or any_of(table().small_talk).sub("", words.sub("", text)):
        return None
    found = [entry for entry, known in offered.items() if known.facts.get(name) in values]
    return found[0] if len(found) == 1 and None not in values else None


def only_states(text: str) -> dict[str, str]:
    """The facts of a normalised text that says nothing else; none if it says more."""
    facts = stated(text)
    for name in facts:
        text = any_of(tuple(table().facts[name].said)).sub("", text)
    return {} if any_of(table().small_talk).sub("", text) else facts


def chosen(offered: Mapping[int, Profile], entry_id: int | None) -> dict[str, str]:
    """The fact that was told by choosing this one of the offered entries, where one fact decides."""
    name = the_difference(list(offered.values()))
    taken = offered.get(entry_id) if entry_id is not None else None
    return {name: taken.facts[name]} if name and taken is not None else {}


@cache
def any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern of the words; at each place the longest is found."""
    return re.compile(
        "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    )
