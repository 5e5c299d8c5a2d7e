"""The sparse index: which phrasings share characters, bigrams and readings with a question."""

import math
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from knowledge.text import pinyin

Floats = NDArray[np.float64]

CHANNELS = ("characters", "bigrams", "sounds")
CHANNEL_WEIGHTS = (0.7, 1.0, 0.6)
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


class Postings:
    """Phrasings by gram; an entry counts once in every frequency however many phrasings it has."""

    def __init__(self) -> None:
        self._tables: list[dict[str, list[int]]] = [{}, {}, {}]
        self._arrays: list[dict[str, NDArray[np.int32]]] = [{}, {}, {}]
        self._idf: list[dict[str, float]] = [{}, {}, {}]
        self._unseen = 1.0
        self._norms = np.zeros((3, 0))
        self._alive = np.zeros(0, dtype=bool)

    def build(self, phrasings: Sequence[tuple[int, tuple[frozenset[str], ...]]]) -> None:
        """Start afresh from (entry, grams) pairs; the pair's place is its number."""
        entries = {entry for entry, _ in phrasings}
        self._unseen = math.log(1 + max(len(entries), 1) / 0.5)
        for channel in range(3):
            table: dict[str, list[int]] = {}
            seen_by: dict[str, set[int]] = {}
            for number, (entry, sets) in enumerate(phrasings):
                for gram in sets[channel]:
                    table.setdefault(gram, []).append(number)
                    seen_by.setdefault(gram, set()).add(entry)
            self._tables[channel] = table
            self._arrays[channel] = {}
            self._idf[channel] = {
                gram: math.log(1 + len(entries) / (len(holders) + 0.5)) for gram, holders in seen_by.items()
            }
        self._alive = np.ones(len(phrasings), dtype=bool)
        self._norms = np.array(
            [[self._norm(channel, sets[channel]) for _, sets in phrasings] for channel in range(3)]
        ).reshape(3, len(phrasings))

    def add(self, sets_of: Sequence[tuple[frozenset[str], ...]]) -> int:
        """Append phrasings with the frequencies in force; returns the number of the first one."""
        first = len(self._alive)
        for number, sets in enumerate(sets_of, start=first):
            for channel in range(3):
                for gram in sets[channel]:
                    self._tables[channel].setdefault(gram, []).append(number)
                    self._arrays[channel].pop(gram, None)
                    self._idf[channel].setdefault(gram, self._unseen)
        norms = np.array([[self._norm(c, sets[c]) for sets in sets_of] for c in range(3)]).reshape(
            3, len(sets_of)
        )
        self._norms = np.concatenate([self._norms, norms], axis=1)
        self._alive = np.concatenate([self._alive, np.ones(len(sets_of), dtype=bool)])
        return first

    def drop(self, numbers: Sequence[int]) -> None:
        """Forget phrasings; their numbers are not used again until the next `build`."""
        self._alive[list(numbers)] = False

    def idf(self, channel: int, gram: str) -> float:
        """How telling a gram is; an unseen one counts as telling as the rarest."""
        return self._idf[channel].get(gram, self._unseen)

    def weight(self, channel: int, gram_set: frozenset[str]) -> float:
        """How telling some grams are together."""
        table, unseen = self._idf[channel], self._unseen
        # fsum: the same sum whatever the order of a set.
        return math.fsum([table.get(gram, unseen) for gram in gram_set])

    def seen(self, channel: int, gram: str) -> bool:
        """Whether any phrasing has or had the gram."""
        return gram in self._idf[channel]

    def cosines(self, sets: tuple[frozenset[str], ...]) -> Floats:
        """Cosine of a question with every phrasing, one row per channel; 0 for dropped phrasings."""
        rows = np.zeros((3, len(self._alive)))
        for channel in range(3):
            norm = self._norm(channel, sets[channel])
            arrays: list[NDArray[np.int32]] = []
            weights: list[float] = []
            for gram in sorted(sets[channel]):  # one order of additions, so equal phrasings score equally
                array = self._posting(channel, gram)
                if array is not None:
                    arrays.append(array)
                    weights.append(self._idf[channel][gram] ** 2)
            if arrays:
                lengths = [len(array) for array in arrays]
                rows[channel] = np.bincount(
                    np.concatenate(arrays), weights=np.repeat(weights, lengths), minlength=len(self._alive)
                )
                rows[channel] /= self._norms[channel] * norm + 1e-12
        rows[:, ~self._alive] = 0.0
        return rows

    def _posting(self, channel: int, gram: str) -> NDArray[np.int32] | None:
        array = self._arrays[channel].get(gram)
        if array is None:
            numbers = self._tables[channel].get(gram)
            if numbers is None:
                return None
            array = self._arrays[channel][gram] = np.array(numbers, dtype=np.int32)
        return array

    def _norm(self, channel: int, gram_set: frozenset[str]) -> float:
        table, unseen = self._idf[channel], self._unseen
        return math.sqrt(math.fsum([table.get(gram, unseen) ** 2 for gram in gram_set]))


def best_first(scores: Floats, tie: Sequence[tuple[int, int]]) -> Iterator[int]:
    """Phrasing numbers with a score above 0, best first; equal scores in the order of `tie`."""
    positive = np.flatnonzero(scores > 1e-9)
    wanted = 96
    done = 0
    while done < len(positive):
        if wanted < len(positive):
            cut = np.partition(scores[positive], len(positive) - wanted)[len(positive) - wanted]
            chosen = positive[scores[positive] >= cut]
        else:
            chosen = positive
        ranked = sorted(chosen.tolist(), key=lambda number: (-round(float(scores[number]), 9), tie[number]))
        yield from ranked[done:]
        done = len(ranked)
        wanted = max(wanted * 8, done + 1)
