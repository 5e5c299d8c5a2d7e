"""All phrasings in force, and the few of them worth a closer look for a question."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.features import Form, clashes, form, opposed
from knowledge.grams import Floats, Postings, best_first
from knowledge.leftovers import Weighed
from knowledge.outcomes import Source
from knowledge.pairs import FEATURES, Rivals, Words, table
from knowledge.parts import OTHER
from knowledge.text import Lexicon, normalise, plain

SHORT = 5
"""Phrasings with fewer characters are not in the book: they match only as the whole message."""
STORY = 24
"""A question with more characters tells more than it asks."""
MAX_CANDIDATES = 6

_PHRASINGS_RANKED = 48
_PHRASINGS_AN_ENTRY = 2


@dataclass(slots=True)
class Phrasing:
    """One phrasing of an entry as it is compared; `place` is its place among the entry's phrasings."""

    entry_id: int
    place: int
    original: str
    form: Form
    lacking: float
    heaviest: Weighed | None = None
    """Its characters, most telling first; filled when first compared."""


@dataclass(slots=True)
class Entry:
    """What is known of an entry from all its phrasings; `numbers` are their places in the book."""

    source: Source
    slot: int
    numbers: list[int] = field(default_factory=list)
    numbers_named: frozenset[str] = frozenset()
    stances: dict[int, frozenset[int]] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()
    core: tuple[float, float, float] | None = None


class Phrasebook:
    """The phrasings of all entries, numbered by their place in `phrasings` until the next `build`."""

    def __init__(self, lexicon: Lexicon, words: Words) -> None:
        self._lexicon = lexicon
        self._words = words
        self.build(())

    def build(self, sources: Iterable[Source]) -> None:
        """Start afresh from entries: all frequencies are counted anew."""
        self._postings = Postings()
        self.phrasings: list[Phrasing] = []
        self.entries: dict[int, Entry] = {}
        self._slot = 0
        self._waiting: list[tuple[int, int, int, int]] = []
        self._slots: NDArray[np.int32] = np.zeros((2, 0), dtype=np.int32)
        self._ties: NDArray[np.int64] = np.zeros((2, 0), dtype=np.int64)
        self._topics: dict[str, int] = {}
        self._topic_sizes: Counter[str] = Counter()
        for source in sources:
            self._enter(source, self._prepare(source), len(self.phrasings))
        self._settle()
        self._postings.build([(phrasing.entry_id, phrasing.form) for phrasing in self.phrasings])

    def add(self, source: Source) -> int:
        """Put in an entry that is not in the book, with the frequencies in force; returns its size."""
        prepared = self._prepare(source)
        first = self._postings.add([phrasing.form for phrasing in prepared])
        self._enter(source, prepared, first)
        self._settle()
        return len(prepared)

    def remove(self, entry_id: int) -> int:
        """Take an entry out; returns how many phrasings that were. KeyError when it is not in the book."""
        entry = self.entries.pop(entry_id)
        self._postings.drop(entry.numbers)
        self._topic_sizes[entry.source.topic] -= len(entry.numbers)
        return len(entry.numbers)

    def answerable(self, asked: Form, number: int) -> bool:
        """Whether a phrasing may answer at all, however like it is: nothing that decides a case differs."""
        phrasing = self.phrasings[number]
        if asked.latin or len(asked.text) < SHORT or clashes(asked, phrasing.form):
            return False
        # Against all phrasings of the entry: one that leaves the deciding fact out must not slip through.
        entry = self.entries[phrasing.entry_id]
        # Whoever tells a story names ages and years that decide nothing.
        tells = len(asked.text) > STORY
        strange = asked.numbers - entry.numbers_named if entry.numbers_named and not tells else ()
        return not (strange or asked.foreign - entry.foreign or opposed(asked.stances, entry.stances))

    def telling(self, char: str) -> float:
        """How much a character tells about what is meant."""
        return self._postings.idf(0, char)

    @contextmanager
    def without(self, numbers: Sequence[int]) -> Iterator[None]:
        """Hide phrasings from `pairs` for a while."""
        touched = [self.entries[entry] for entry in {self.phrasings[number].entry_id for number in numbers}]
        self._postings.drop(numbers)
        for entry in touched:
            entry.core = self._cores([number for number in entry.numbers if number not in numbers])
        try:
            yield
        finally:
            self._postings.restore(numbers)
            for entry in touched:
                entry.core = None

    def _prepare(self, source: Source) -> list[Phrasing]:
        prepared = []
        for place, original in enumerate(dict.fromkeys((source.question, *source.phrasings))):
            text = normalise(original, self._lexicon)
            if text and len(plain(original)) >= SHORT:
                made = form(text, self._lexicon)
                lacking = self._words.lacking(made.sets)
                prepared.append(Phrasing(source.entry_id, place, original, made, lacking))
        return prepared

    def _enter(self, source: Source, prepared: list[Phrasing], first: int) -> None:
        entry = Entry(source, self._slot, list(range(first, first + len(prepared))))
        self._slot += 1
        for phrasing in prepared:
            entry.numbers_named |= phrasing.form.numbers
            entry.foreign |= phrasing.form.foreign
            for pair, held in phrasing.form.stances.items():
                entry.stances[pair] = entry.stances.get(pair, frozenset()) | held
        self.entries[source.entry_id] = entry
        self.phrasings.extend(prepared)
        topic = self._topics.setdefault(source.topic, len(self._topics))
        self._topic_sizes[source.topic] += len(prepared)
        self._waiting.extend((source.entry_id, phrasing.place, entry.slot, topic) for phrasing in prepared)

    def _settle(self) -> None:
        # In one go: growing an array entry by entry would make a build take the square of its size.
        if self._waiting:
            rows = np.array(self._waiting, dtype=np.int64).T
            self._ties = np.concatenate([self._ties, rows[:2]], axis=1)
            self._slots = np.concatenate([self._slots, rows[2:].astype(np.int32)], axis=1)
            self._waiting = []

    def pairs(self, asked: Form, may: Callable[[int], bool]) -> tuple[list[int], Floats]:
        """The phrasings worth a closer look, best first, and a row of `FEATURES` for each."""
        found = self._postings.probe(asked.sets)
        chosen: dict[int, list[int]] = {}
        ranked = 0
        allowed: dict[int, bool] = {}
        for number in best_first(found.totals, self._ties):
            entry_id = self.phrasings[number].entry_id
            if entry_id not in allowed:
                allowed[entry_id] = may(entry_id)
            if allowed[entry_id]:
                chosen.setdefault(entry_id, []).append(number)
                ranked += 1
                if ranked == _PHRASINGS_RANKED:
                    break
        if not chosen:
            return [], np.zeros((0, len(FEATURES)))
        rows = list(chosen.items())[:MAX_CANDIDATES]
        paired = [
            (number, row) for row, (_, numbers) in enumerate(rows) for number in numbers[:_PHRASINGS_AN_ENTRY]
        ]
        rivals = Rivals(
            numbers=[number for number, _ in paired],
            forms=[self.phrasings[number].form for number, _ in paired],
            places=[row for _, row in paired],
            entries={self.entries[entry_id].slot: row for row, (entry_id, _) in enumerate(rows)},
            topics=[self._topics[self.entries[entry_id].source.topic] for entry_id, _ in rows],
            sizes=np.array([self._sizes(entry_id) for entry_id, _ in rows], dtype=float),
            heaviest=[self._heaviest(self.phrasings[number]) for number, _ in paired],
            lacking=np.array([self.phrasings[number].lacking for number, _ in paired]),
            cores=np.array([self._core(entry_id) for entry_id, _ in rows]),
            standing=self._standing(found.totals, chosen),
        )
        return list(rivals.numbers), table(asked, found, rivals, self._slots, self._postings, self._words)

    def _cores(self, numbers: Sequence[int]) -> tuple[float, float, float]:
        sums = []
        sets = [self.phrasings[number].form.sets for number in numbers]
        for channel in range(3):
            counts = Counter(gram for held in sets for gram in held[channel])
            sums.append(sum(self._postings.idf(channel, gram) * count**2 for gram, count in counts.items()))
        return sums[0], sums[1], sums[2]

    def _core(self, entry_id: int) -> tuple[float, float, float]:
        entry = self.entries[entry_id]
        if entry.core is None:
            entry.core = self._cores(entry.numbers)
        return entry.core

    def _heaviest(self, phrasing: Phrasing) -> Weighed:
        if phrasing.heaviest is None:
            idf = {char: self._postings.idf(0, char) for char in frozenset(phrasing.form.text)}
            order = sorted(idf, key=lambda char: (-idf[char], char))
            kinds = phrasing.form.classes
            phrasing.heaviest = (
                "".join(order), tuple(idf[char] for char in order), bytes(kinds.get(c, OTHER) for c in order)
            )  # fmt: skip
        return phrasing.heaviest

    def _sizes(self, entry_id: int) -> tuple[int, int]:
        entry = self.entries[entry_id]
        return len(entry.numbers), int(self._topic_sizes[entry.source.topic])

    def _standing(self, totals: Floats, chosen: dict[int, list[int]]) -> Floats:
        numbers = np.array([number for held in chosen.values() for number in held])
        owner = np.repeat(np.arange(len(chosen)), [len(held) for held in chosen.values()])
        topics = self._slots[1, numbers]
        mass = totals[numbers] ** 4
        whole = float(mass.sum())
        of_entry = np.bincount(owner, weights=mass)
        of_topic = np.bincount(topics, weights=mass)
        firsts = [held[0] for held in chosen.values()]
        standing = []
        for place, held in enumerate(list(chosen.values())[:MAX_CANDIDATES]):
            rival = float(totals[firsts[1 if place == 0 else 0]]) if len(firsts) > 1 else 0.0
            standing.append(
                (
                    min(len(held), 6) / 6,
                    float(totals[held[1]]) if len(held) > 1 else 0.0,
                    float(totals[held[0]]) - rival,
                    float(of_entry[place]) / whole,
                    float(of_topic[self._slots[1, held[0]]]) / whole,
                )
            )
        return np.array(standing)
