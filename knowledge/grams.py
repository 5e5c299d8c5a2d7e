"""The sparse index: which phrasings share characters, bigrams and readings with a question."""

from __future__ import annotations

import math
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.text import pinyin

Floats = NDArray[np.float64]

_SHARES = np.array((0.7, 1.0, 0.6)) / 2.3
_NONE = np.zeros(0, dtype=np.int32)
_SOUND_BASE = 0xF0000  # a private plane: a coded syllable is never equal to a written character
_FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"))


@lru_cache(maxsize=20_000)
def _code(syllable: str) -> str:
    for strict, loose in _FUZZY:
        if syllable.startswith(strict):
            syllable = loose + syllable[2:]
    # ing and in, eng and en sound alike in Shanghai, and are typed for each other.
    if syllable.endswith("ng") and len(syllable) > 3 and syllable[-3] in "ie":
        syllable = syllable[:-1]
    return chr(_SOUND_BASE + zlib.crc32(syllable.encode()) % 65_000)


def sound(text: str) -> str:
    """The reading of a normalised text, one character a syllable, near-homophones folded."""
    return "".join(map(_code, pinyin(text)))


def bigrams(text: str) -> frozenset[str]:
    """Neighbouring characters with marked edges: first and last words weigh differently."""
    edged = f"\x02{text}\x03"
    return frozenset(map("".join, pairwise(edged)))


def grams(text: str, spoken: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The grams of a normalised text and its `sound`, one set per channel."""
    return frozenset(text), bigrams(text), bigrams(spoken)


class Grams(Protocol):
    """Anything that can say its grams."""

    @property
    def sets(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """One set a channel."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question held against all phrasings: its grams, where they occur, and the first stage's scores."""

    grams: tuple[tuple[int, str], ...]
    """(channel, gram), in one order whatever the base is, so that equal phrasings score equally."""
    channels: NDArray[np.intp]
    idf: Floats
    norms: tuple[float, float, float]
    seen: NDArray[np.bool_]
    """Per gram, whether any phrasing in force has it."""
    numbers: NDArray[np.int32]
    """The phrasings of every gram, one after the other; `places` says of which gram each is."""
    places: NDArray[np.intp]
    totals: Floats
    """The first stage's score of every phrasing, 0 to 1; 0 for dropped ones."""


class Postings:
    """Phrasings by gram; an entry counts once in every frequency however many phrasings it has."""

    def __init__(self) -> None:
        self._tables: list[dict[str, array[int]]] = [{}, {}, {}]
        self._arrays: list[dict[str, NDArray[np.int32]]] = [{}, {}, {}]
        self._idf: list[dict[str, float]] = [{}, {}, {}]
        self._unseen = 1.0
        self.norms = np.zeros((3, 0))
        """Length of every phrasing's vector, one row a channel."""
        self.sums = np.zeros((3, 0))
        """How telling the grams of every phrasing are together, one row a channel."""
        self._alive = np.zeros(0, dtype=bool)
        self._all_alive = True

    def __len__(self) -> int:
        """Number of phrasings in force."""
        return len(self._alive) if self._all_alive else int(self._alive.sum())

    def build(self, phrasings: Sequence[tuple[int, Grams]]) -> None:
        """Start afresh from (entry, what gives its grams); the pair's place is its number.

        Phrasings of one entry must stand together. Grams are made anew when needed: all of them at once would
        take more room than the index.
        """
        entries = len({entry for entry, _ in phrasings})
        self._unseen = _rounded(math.log(1 + max(entries, 1) / 0.5))
        self._tables, self._arrays = [{}, {}, {}], [{}, {}, {}]
        seen_in: list[dict[str, int]] = [{}, {}, {}]
        counts: list[dict[str, int]] = [{}, {}, {}]
        for number, (entry, form) in enumerate(phrasings):
            for channel, gram_set in enumerate(form.sets):
                table, seen, count = self._tables[channel], seen_in[channel], counts[channel]
                for gram in gram_set:
                    _list_of(table, gram).append(number)
                    if seen.get(gram) != entry:
                        seen[gram] = entry
                        count[gram] = count.get(gram, 0) + 1
        self._idf = [
            {gram: _rounded(math.log(1 + entries / (held + 0.5))) for gram, held in count.items()}
            for count in counts
        ]
        self._alive = np.ones(len(phrasings), dtype=bool)
        self._all_alive = True
        self.norms, self.sums = self._lengths([form for _, form in phrasings])

    def add(self, forms: Sequence[Grams]) -> int:
        """Append phrasings with the frequencies in force; returns the number of the first one."""
        first = len(self._alive)
        for number, form in enumerate(forms, start=first):
            for channel, gram_set in enumerate(form.sets):
                for gram in gram_set:
                    _list_of(self._tables[channel], gram).append(number)
                    self._arrays[channel].pop(gram, None)
                    self._idf[channel].setdefault(gram, self._unseen)
        norms, sums = self._lengths(forms)
        self.norms = np.concatenate([self.norms, norms], axis=1)
        self.sums = np.concatenate([self.sums, sums], axis=1)
        self._alive = np.concatenate([self._alive, np.ones(len(forms), dtype=bool)])
        return first

    def drop(self, numbers: Sequence[int]) -> None:
        """Forget phrasings; their numbers are not used again until `restore` or the next `build`."""
        self._alive[list(numbers)] = False
        self._all_alive = False

    def restore(self, numbers: Sequence[int]) -> None:
        """Take back a `drop`."""
        self._alive[list(numbers)] = True
        self._all_alive = bool(self._alive.all())

    def idf(self, channel: int, gram: str) -> float:
        """How telling a gram is; an unseen one counts as telling as the rarest."""
        return self._idf[channel].get(gram, self._unseen)

    def probe(self, sets: tuple[frozenset[str], ...]) -> Probe:
        """Hold a question against every phrasing."""
        named: list[tuple[int, str]] = []
        arrays: list[NDArray[np.int32]] = []
        values: list[float] = []
        for channel, gram_set in enumerate(sets):
            table = self._idf[channel]
            for gram in sorted(gram_set):
                named.append((channel, gram))
                arrays.append(self._posting(channel, gram))
                values.append(table.get(gram, self._unseen))
        numbers = np.concatenate(arrays) if arrays else _NONE
        places = np.repeat(np.arange(len(arrays)), [len(array) for array in arrays])
        if not self._all_alive:
            kept = self._alive[numbers]
            numbers, places = numbers[kept], places[kept]
        seen = np.bincount(places, minlength=len(named)) > 0
        channels = np.repeat(np.arange(3), [len(gram_set) for gram_set in sets])
        idf = np.array(values)
        idf[~seen] = self._unseen
        norms = np.sqrt(np.bincount(channels, weights=idf * idf, minlength=3))
        size = len(self._alive)
        shares = _SHARES[channels] * idf * idf / (norms[channels] + 1e-12)
        weights = shares[places] / (self.norms.ravel()[(channels * size)[places] + numbers] + 1e-12)
        totals: Floats = np.bincount(numbers, weights=weights, minlength=size).astype(np.float64)
        lengths = (float(norms[0]), float(norms[1]), float(norms[2]))
        return Probe(tuple(named), channels, idf, lengths, seen, numbers, places, totals)

    def _posting(self, channel: int, gram: str) -> NDArray[np.int32]:
        array = self._arrays[channel].get(gram)
        if array is None:
            numbers = self._tables[channel].get(gram)
            if numbers is None:
                return _NONE
            array = self._arrays[channel][gram] = np.array(numbers, dtype=np.int32)
        return array

    def _lengths(self, forms: Sequence[Grams]) -> tuple[Floats, Floats]:
        norms, sums = np.zeros((3, len(forms))), np.zeros((3, len(forms)))
        for number, form in enumerate(forms):
            for channel, gram_set in enumerate(form.sets):
                values = [self._idf[channel][gram] for gram in gram_set]
                sums[channel, number] = sum(values)
                norms[channel, number] = math.sqrt(sum(value * value for value in values))
        return norms, sums


def _list_of(table: dict[str, array[int]], gram: str) -> array[int]:
    found = table.get(gram)
    if found is None:
        found = table[gram] = array("i")
    return found


def _rounded(idf: float) -> float:
    # On a coarse grid all sums are exact, so they do not depend on the order of addition.
    return round(idf * 4096) / 4096


def best_first(scores: Floats, tie: NDArray[np.int64]) -> Iterator[int]:
    """Phrasing numbers with a score above 0, best first; equal scores in the order of `tie`, two rows."""
    positive = np.flatnonzero(scores > 1e-9)
    wanted = 96
    done = 0
    while done < len(positive):
        if wanted < len(positive):
            cut = np.partition(scores[positive], len(positive) - wanted)[len(positive) - wanted]
            chosen = positive[scores[positive] >= cut]
        else:
            chosen = positive
        order = np.lexsort((tie[1, chosen], tie[0, chosen], -np.round(scores[chosen], 9)))
        yield from chosen[order[done:]].tolist()
        done = len(chosen)
        wanted = max(wanted * 8, done + 1)
