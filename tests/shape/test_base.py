"""The base that is shipped: complete, clean, and without two entries claiming the same words."""

import json
import unicodedata
from collections import Counter, defaultdict
from functools import cache

import yaml

from knowledge import base, entries, lint
from knowledge.calendar import DateKind
from knowledge.versions import TOPICS, topics
from tests.shape.tree import ROOT

FEWEST_ENTRIES = 130
FEWEST_PHRASINGS = 6
NUMBERS_A_TOPIC = 20


@cache
def shipped():
    return tuple(base.read(base.FOLDER, 0))


@cache
def golden():
    found = []
    for path in sorted((ROOT / "data" / "golden").glob("*.jsonl")):
        found += [(path.stem, json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(found)


def bare(text):
    wide = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in wide if char.isalnum())


def test_there_are_enough_entries_and_every_topic_has_one():
    assert len(shipped()) >= FEWEST_ENTRIES
    assert {content.topic for _, content in shipped()} == set(topics()) - {"none"}


def test_every_entry_is_known_by_many_phrasings():
    assert not [no for no, content in shipped() if len(content.phrasings) < FEWEST_PHRASINGS]


def test_lint_finds_nothing_at_all():
    found = {no: [p.key for p in entries.problems(content)] for no, content in shipped()}
    assert not {no: keys for no, keys in found.items() if keys}


def test_numbers_lie_in_the_block_of_their_topic():
    rows = yaml.safe_load(TOPICS.read_text(encoding="utf-8"))
    first = {row["id"]: int(row["numbers"]) for row in rows if row["numbers"]}
    wrong = [
        no
        for no, content in shipped()
        if not 0 <= int(no.removeprefix("K-")) - first[content.topic] < NUMBERS_A_TOPIC
    ]
    assert not wrong
    numbers = [no for no, _ in shipped()]
    assert len(numbers) == len(set(numbers))
    assert max(numbers) < f"K-{entries.FIRST_FREE_NUMBER:04d}"


def test_no_two_phrasings_of_the_base_are_the_same():
    said = Counter(
        bare(text)
        for _, content in shipped()
        for text in (content.question, *content.phrasings, *content.aliases)
    )
    assert not [text for text, times in said.items() if times > 1]


def test_the_calendar_fills_every_variable_that_lint_allows():
    dates = {name.removeprefix("cal.") for name in lint.VARIABLES if name.startswith("cal.")}
    assert dates == {kind.value for kind in DateKind}


def test_golden_questions_are_held_out():
    """A question that the base contains word for word would measure nothing."""
    phrasings = {bare(text) for _, content in shipped() for text in (content.question, *content.phrasings)}
    assert not [row for _, row in golden() if bare(row["q"]) in phrasings]


def test_every_topic_has_golden_questions_with_known_labels():
    by_topic = defaultdict(int)
    for stem, row in golden():
        assert row["topic"] == stem or stem == "adversarial"
        by_topic[row["topic"]] += 1
    assert set(by_topic) == set(topics())
    assert min(by_topic.values()) >= 5
