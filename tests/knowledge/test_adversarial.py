"""Questions one decisive word away from one of the base: the entry they resemble must stay silent."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from knowledge import base
from knowledge.gate import gate
from knowledge.match import Hit, Index, Miss, Outcome
from knowledge.text import Lexicon

DATA = Path(__file__).parents[2] / "data"
MOST_WRONG = 0.02
LEAST_HELPED = 0.7


@dataclass(frozen=True)
class Line:
    """One question, what answers it, and the entry that it only looks like."""

    q: str
    topic: str
    also: tuple[str, ...]
    entry: str | None
    resembles: str

    @property
    def in_scope(self) -> bool:
        return self.topic != "none"


@cache
def _lines() -> tuple[Line, ...]:
    text = (DATA / "golden" / "adversarial.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    return tuple(
        Line(row["q"], row["topic"], tuple(row["also"]), row["entry"], row["resembles"]) for row in rows
    )


@cache
def _outcomes() -> tuple[tuple[Line, Outcome], ...]:
    """What a voter is told, with the base and the model as they are shipped."""
    sources = base.shipped()
    lexicon = Lexicon.from_data(yaml.safe_load((DATA / "lexicon.yaml").read_text(encoding="utf-8")))
    index = Index(sources, lexicon)
    for_voters = {source.entry_id for source in sources if source.audience != "staff"}
    return tuple((line, index.rank(line.q, allowed=for_voters.__contains__)) for line in _lines())


def _hits() -> list[tuple[Line, Hit]]:
    return [(line, outcome) for line, outcome in _outcomes() if isinstance(outcome, Hit)]


def _most(share: float) -> int:
    return int(share * len(_lines()))


def test_there_are_enough_of_both_kinds() -> None:
    lines = _lines()
    assert len({line.q for line in lines}) == len(lines) >= 110
    assert 0.4 <= sum(line.in_scope for line in lines) / len(lines) <= 0.6


def test_every_label_names_an_entry_and_a_topic_of_the_base() -> None:
    topic_of = {source.entry_no: source.topic for source in base.shipped()}
    for line in _lines():
        assert line.resembles in topic_of, line
        assert set(line.also) <= set(topic_of.values()), line
        assert (line.entry is None) == (not line.in_scope), line
        assert line.entry is None or topic_of[line.entry] == line.topic, line
        assert line.entry != line.resembles, line


def test_none_is_a_phrasing_of_the_entry_it_resembles() -> None:
    said = {
        source.entry_no: {source.question, *source.phrasings, *source.aliases} for source in base.shipped()
    }
    assert [line.q for line in _lines() if line.q in said[line.resembles]] == []


def test_the_gate_leaves_them_to_the_matcher() -> None:
    assert [(line.q, gate(line.q)) for line in _lines() if gate(line.q) is not None] == []


def test_few_are_answered_with_a_wrong_entry() -> None:
    wrong = [
        (line.q, hit.best.entry_no, round(hit.best.probability, 2))
        for line, hit in _hits()
        if hit.best.entry_no != line.entry and hit.best.topic not in (line.topic, *line.also)
    ]
    assert len(wrong) <= _most(MOST_WRONG), wrong


def test_few_are_answered_by_the_entry_they_resemble() -> None:
    fooled = [
        (line.q, hit.best.entry_no, round(hit.best.probability, 2))
        for line, hit in _hits()
        if hit.best.entry_no == line.resembles
    ]
    assert len(fooled) <= _most(MOST_WRONG), fooled


def test_not_everything_is_refused() -> None:
    """Silence would pass the tests above: where the base has an answer, most are given or offered it."""
    in_scope = [(line, outcome) for line, outcome in _outcomes() if line.in_scope]
    helped = sum(
        line.entry in {choice.entry_no for choice in outcome.candidates[:3]}
        for line, outcome in in_scope
        if not isinstance(outcome, Miss)
    )
    assert helped >= LEAST_HELPED * len(in_scope)
