"""What speaks for and against each candidate: the features of its pairs with a question, in one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from knowledge.features import Form, clashes, numbers_differ, opposed
from knowledge.grams import Floats, Postings, Probe
from knowledge.leftovers import Weighed, kinds_of, lacks, unheard, words_left

_ONE = np.eye(3)
FEATURES = (
    "bias",
    "cosine_characters",
    "cosine_bigrams",
    "cosine_sounds",
    "ratio",
    "ratio_sounds",
    "ratio_matter",
    "question_covered",
    "question_covered_bigrams",
    "question_covered_sounds",
    "phrasing_covered",
    "phrasing_covered_bigrams",
    "phrasing_covered_sounds",
    "entry_covers",
    "entry_covers_bigrams",
    "entry_covers_sounds",
    "topic_covers",
    "topic_covers_bigrams",
    "entry_speaks",
    "entry_speaks_bigrams",
    "entry_speaks_sounds",
    "topic_speaks",
    "topic_speaks_bigrams",
    "topic_speaks_sounds",
    "core_covered",
    "core_covered_bigrams",
    "core_covered_sounds",
    "heaviest_left_over",
    "heaviest_missing",
    "unheard",
    "unknown",
    "unknown_bigrams",
    "numbers_differ",
    "negation_differs",
    "clash",
    "opposite",
    "kind_agrees",
    "kind_differs",
    "facts_extra",
    "facts_missing",
    "length_question",
    "length_phrasing",
    "length_ratio",
    "support",
    "second",
    "lead",
    "entry_share",
    "topic_share",
    "matter_left",
    "matter_missing",
    "matter_swapped",
    "matter_equal",
    "matter_shared",
    "same_sound",
    "strange_nouns",
    "strange_verbs",
    "strange_others",
    "left_nouns",
    "left_verbs",
    "left_others",
    "word_left",
    "words_left",
    "astray",
    "off_field",
    "missing_nouns",
    "missing_verbs",
    "missing_others",
    "words",
)


@dataclass(frozen=True, slots=True)
class Words:
    """Weights of the characters and bigrams that only one side has: 「外地」 over, 「累计」 lacking."""

    left: Mapping[str, float]
    """Those of the question that no phrasing of the entry has."""
    missing: Mapping[str, float]
    """Those of the phrasing that the question does not have."""

    def lacking(self, sets: tuple[frozenset[str], ...]) -> float:
        """The sum for a phrasing of which the question has nothing."""
        return sum(self.missing.get(gram, 0.0) for channel in (0, 1) for gram in sorted(sets[channel]))


@dataclass(frozen=True, slots=True)
class Rivals:
    """The entries worth a closer look: per pair its phrasing and place among them, and their standing."""

    numbers: Sequence[int]
    """Phrasing numbers, one a pair."""
    forms: Sequence[Form]
    """The form of each of them."""
    places: Sequence[int]
    """Which entry each belongs to: a row of `standing`."""
    entries: Mapping[int, int]
    """Entry slot to row."""
    topics: Sequence[int]
    """Topic slot of each row."""
    sizes: Floats
    """How many phrasings each row's entry has, and its topic: two columns."""
    heaviest: Sequence[Weighed]
    """Per pair the phrasing's characters, most telling first."""
    lacking: Floats
    """Per pair what `Words.lacking` says of its phrasing."""
    cores: Floats
    """How telling the grams are that an entry's phrasings share, a row each, a column a channel."""
    standing: Floats
    """Per entry: support, second-best score, lead, share of the entry, share of its topic."""


def table(
    asked: Form, found: Probe, rivals: Rivals, slots: NDArray[np.int32], postings: Postings, words: Words
) -> Floats:
    """One row of `FEATURES` a pair; `slots` gives entry slot and topic slot of every phrasing, a row each."""
    size = len(found.grams)
    topics: dict[int, int] = {}
    topics_of = [topics.setdefault(slot, len(topics)) for slot in rivals.topics]
    # Topics hold entries and entries phrasings, so each count needs to look only at what the last one found.
    counts, numbers, places = _counts(slots[1], topics, found.numbers, found.places, size)
    topic_counts = counts[topics_of]
    entry_counts, numbers, places = _counts(slots[0], rivals.entries, numbers, places, size)
    has, _, _ = _counts(
        None, {number: row for row, number in enumerate(rivals.numbers)}, numbers, places, size
    )
    entry_has, topic_has = np.minimum(entry_counts, 1), np.minimum(topic_counts, 1)
    channels = found.channels
    asked_matters = asked.matters
    learned = np.array(
        [
            (channel == 0 and gram in asked_matters, words.left.get(gram, 0.0), words.missing.get(gram, 0.0))
            for channel, gram in found.grams
        ]
    )
    matters = learned[:, 0] > 0
    one = _ONE[channels]
    plain = one * found.idf[:, None]
    columns = np.concatenate([plain * found.idf[:, None], plain, learned[:, :1]], axis=1)
    pair = has @ columns
    entry = entry_has @ columns
    place = np.array(rivals.places)
    paired = np.array(rivals.numbers)
    topic = topic_has @ columns
    left_words = 1 - entry_has
    common = np.bincount(found.places, minlength=len(found.grams)) / max(len(postings), 1) + 1e-4
    heard = found.seen[:, None] * one / np.maximum(one.sum(axis=0), 1)
    core = (entry_counts**2 @ plain) / (rivals.cores + 1e-12)
    speaks = np.concatenate(
        [
            _speaks(entry_counts, rivals.sizes[:, 0], common) @ heard,
            _speaks(topic_counts, rivals.sizes[:, 1], common) @ heard,
        ],
        axis=1,
    )

    cosines = pair[:, :3] / (postings.norms[:, paired].T * np.array(found.norms) + 1e-12)
    question_sums = plain.sum(axis=0) + 1e-12
    left = found.idf * left_words * one[:, 0]
    count = max(len(asked_matters), 1)
    seen = found.seen
    n = len(paired)
    known = frozenset(asked.text)
    matters_of = [form.matters for form in rivals.forms]
    facts = np.array(
        [
            (*_differs(asked, form), *lacks(known, heavy), len(has_matters - known))
            for form, heavy, has_matters in zip(rivals.forms, rivals.heaviest, matters_of, strict=True)
        ]
    )
    length = np.array(
        [[len(form.text), len(held)] for form, held in zip(rivals.forms, matters_of, strict=True)]
    )
    here = max(len(asked.text), 1)
    kinds = kinds_of(asked, found)
    strange, lacking_words = words_left(asked, found, left_words)
    matter_left = count - pair[:, 6]
    matter_missing = facts[:, 12]
    texts = [form.text for form in rivals.forms]
    sounds = [form.spoken for form in rivals.forms]
    matter = [form.matter for form in rivals.forms]
    constant = np.ones(n)
    return _side_by_side(
        [
            constant,
            cosines,
            process.cdist([asked.text], texts, scorer=fuzz.ratio)[0] / 100,
            process.cdist([asked.spoken], sounds, scorer=fuzz.ratio)[0] / 100,
            process.cdist([asked.matter], matter, scorer=fuzz.ratio)[0] / 100,
            pair[:, 3:6] / question_sums,
            pair[:, 3:6] / (postings.sums[:, paired].T + 1e-12),
            (entry[:, 3:6] / question_sums)[place],
            (topic[:, 3:5] / question_sums[:2])[place],
            speaks[place],
            core[place],
            (left.max(axis=1) / 5)[place],
            facts[:, 8],
            unheard(asked, found, entry_has)[place],
            constant * (1 - seen[matters].mean() if matters.any() else 0.0),
            constant * (1 - seen[channels == 1].mean()),
            facts[:, 0:8],
            constant * np.log(here) / 3,
            np.log(length[:, 0]) / 3,
            np.abs(np.log(here / length[:, 0])),
            rivals.standing[place, :5],
            np.minimum(matter_left, 6) / 6,
            np.minimum(matter_missing, 6) / 6,
            np.minimum(np.minimum(matter_left, matter_missing), 3) / 3,
            (matter_left == 0) & (matter_missing == 0),
            (length[:, 1] - matter_missing) / np.maximum(count + matter_missing, 1),
            np.array([form.spoken == asked.spoken for form in rivals.forms]),
            constant[:, None] * strange,
            (left_words @ (kinds * found.idf[:, None]) / 10)[place],
            lacking_words[place],
            facts[:, 9:12] / 10,
            (left_words @ learned[:, 1])[place] + rivals.lacking - has @ learned[:, 2],
        ]
    )


def _side_by_side(parts: Sequence[NDArray[Any]]) -> Floats:
    out = np.empty((len(parts[0]), len(FEATURES)))
    at = 0
    for part in parts:
        if part.ndim == 1:
            out[:, at] = part
            at += 1
        else:
            out[:, at : at + part.shape[1]] = part
            at += part.shape[1]
    return out


def _counts(
    slots: NDArray[np.int32] | None,
    rows: Mapping[int, int],
    numbers: NDArray[np.int32],
    places: NDArray[np.intp],
    size: int,
) -> tuple[Floats, NDArray[np.int32], NDArray[np.intp]]:
    """How many phrasings of each row have each of the question's grams, and which occurrences those are."""
    owners = numbers if slots is None else slots[numbers]
    row_of = np.full(max(int(owners.max(initial=0)), *rows) + 1, -1)
    row_of[list(rows)] = list(rows.values())
    row = row_of[owners]
    kept = np.flatnonzero(row >= 0)
    numbers, places = numbers[kept], places[kept]
    flat = np.bincount(row[kept] * size + places, minlength=len(rows) * size)
    return flat.reshape(len(rows), size).astype(float), numbers, places


def _speaks(counts: Floats, sizes: Floats, common: Floats) -> Floats:
    """How much oftener each row uses each gram than the base does (log of the ratio, smoothed)."""
    return np.log((counts + 2 * common) / (sizes[:, None] + 2) / common)


def _differs(asked: Form, form: Form) -> tuple[float, ...]:
    return (
        numbers_differ(asked, form),
        (asked.negations > 0) != (form.negations > 0),
        clashes(asked, form),
        opposed(asked.stances, form.stances),
        bool(asked.kinds) and asked.kinds == form.kinds,
        bool(asked.kinds and form.kinds) and not asked.kinds & form.kinds,
        min(len(asked.facts - form.facts), 3) / 3,
        min(len(form.facts - asked.facts), 3) / 3,
    )
