"""Names of places by their text, by how they sound, and nearly: all is looked up, nothing is scanned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from rapidfuzz.distance import OSA

from knowledge.grams import sound
from knowledge.station_words import Names, StationWords

_SHORTEST, _LONGEST_NEARLY = 3, 12
_SOUND, _CORE, _OTHER_ENDING = 0.9, 0.8, 0.7
# A pair of characters in more names than this says too little to be followed.
_COMMON = 200
_PAIRS_NEEDED = 0.6


@dataclass(slots=True)
class Name:
    """A name with the numbers of the places that have it, ascending; `unit`: a unit is called so."""

    text: str
    unit: bool
    places: dict[int, None] = field(default_factory=dict)


class NameBook:
    """All names of all places. Looking up costs what the query is long, not what the book is."""

    def __init__(self, words: StationWords) -> None:
        self._words = words
        self._names: dict[str, Name] = {}
        self._shorts: dict[str, str] = {}
        self._cores: dict[str, list[str]] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}
        self._sounds: dict[str, list[str]] = {}
        self._lacking: dict[str, list[str]] = {}
        self._pairs: dict[str, list[str]] = {}

    def add_street(self, street: str) -> None:
        """A unit that may be named though it has no place; 临江 for 临江街道 counts where it stands alone."""
        self._add(street, unit=True)
        if short := self._words.short_street(street):
            self._shorts[short] = street

    def add_place(self, number: int, above: Iterable[str], names: Names) -> None:
        """A place with its units' names and its own; numbers must come in ascending order."""
        for text in (*above, *names.committees):
            self._add(text, number, unit=True)
        for text in names.names:
            self._add(text, number)
        for text in names.committees | names.names:
            # 书香 of 书香苑: half a name, never more than a hint.
            if (core := self._words.core(text)) in names.cores:
                self._add_core(core, text)

    def _add(self, text: str, number: int | None = None, *, unit: bool = False) -> None:
        name = self._names.get(text)
        if name is None:
            name = self._names[text] = Name(text, unit)
        name.unit |= unit
        if number is not None:
            name.places[number] = None

    def _add_core(self, core: str, text: str) -> None:
        names = self._cores.setdefault(core, [])
        if text not in names:
            names.append(text)

    def finish(self) -> None:
        """Make what looking up needs; nothing is added afterwards."""
        lengths: dict[str, set[int]] = {}
        for text in (*self._names, *self._shorts):
            if len(text) >= _SHORTEST or text in self._shorts:
                lengths.setdefault(text[:2], set()).add(len(text))
            else:
                self._add_core(text, text)
        self._lengths = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
        for text in self._names:
            if len(text) >= _SHORTEST:
                self._sounds.setdefault(sound(text), []).append(text)
                for pair in {a + b for a, b in pairwise(text)}:
                    self._pairs.setdefault(pair, []).append(text)
            if _SHORTEST <= len(text) <= _LONGEST_NEARLY:
                for short in _one_less(text):
                    self._lacking.setdefault(short, []).append(text)

    def name(self, text: str) -> Name | None:
        """The name that is written so."""
        return self._names.get(text)

    def street(self, text: str) -> Name | None:
        """The street that this is the short form of."""
        return self._names.get(self._shorts.get(text, ""))

    def longest_at(self, text: str, at: int) -> int:
        """The length of the longest name or short form that begins here; 0 if none does."""
        for length in self._lengths.get(text[at : at + 2], ()):
            piece = text[at : at + length]
            if len(piece) == length and (piece in self._names or piece in self._shorts):
                return length
        return 0

    def sounding(self, codes: str) -> Mapping[str, float]:
        """Names that sound so; `codes` as `knowledge.grams.sound` gives them."""
        return dict.fromkeys(self._sounds.get(codes, ()), _SOUND)

    def nearly(self, run: str) -> Mapping[str, float]:
        """Names that `run` may be meant for, with how far below 1 that is."""
        found = self._alike(run)
        if found or self._words.is_unit(run):
            # Half of another unit's name is no hint: 滨江街道 is not 临江街道.
            return found
        if len(run) >= 4:
            for start, end in _windows(len(run)):
                share = (end - start) / len(run)
                for text, strength in self._alike(run[start:end]).items():
                    found[text] = max(found.get(text, 0.0), strength * share)
        return found or dict(self._sharing(run))

    def _alike(self, run: str) -> dict[str, float]:
        found: dict[str, float] = {}

        def note(texts: Iterable[str], strength: float) -> None:
            for text in texts:
                found[text] = max(found.get(text, 0.0), strength)

        if run in self._names:
            note((run,), 1.0)
        note(self._sounds.get(sound(run), ()), _SOUND)
        note(self._cores.get(run, ()), _CORE)
        if core := self._words.core(run):
            note(self._cores.get(core, ()), _OTHER_ENDING)
        if len(run) <= _LONGEST_NEARLY:
            for text in self._one_off(run):
                note((text,), 1 - 1 / max(len(run), len(text)))
        return found

    def _one_off(self, run: str) -> Iterator[str]:
        """Names with one character more, less or another, or two that stand the other way round."""
        seen: set[str] = set(self._lacking.get(run, ()))
        yield from seen
        for short in _one_less(run) if len(run) >= _SHORTEST else ():
            for text in (short, *self._lacking.get(short, ())):
                if text in seen or text not in self._names or len(text) < _SHORTEST:
                    continue
                seen.add(text)
                # One character for another makes another unit.
                alien = self._names[text].unit and len(text) == len(run) and sorted(text) != sorted(run)
                if not alien and OSA.distance(run, text, score_cutoff=1) <= 1:
                    yield text

    def _sharing(self, run: str) -> Iterator[tuple[str, float]]:
        """Names that have most pairs of characters of a longer run."""
        pairs = {a + b for a, b in pairwise(run)}
        if len(pairs) < 2:
            return
        needed = len(pairs) * (_PAIRS_NEEDED if len(pairs) > 2 else 1)
        shared = Counter(
            text for pair in pairs if len(texts := self._pairs.get(pair, ())) <= _COMMON for text in texts
        )
        for text, count in shared.items():
            if count >= needed:
                yield text, 0.9 * count / len(pairs)


def _one_less(text: str) -> set[str]:
    return {text[:at] + text[at + 1 :] for at in range(len(text))}


def _windows(length: int) -> Iterator[tuple[int, int]]:
    """Parts of a run that are most of it, longest first."""
    for size in range(length - 1, max(_SHORTEST, (length + 1) // 2) - 1, -1):
        for start in range(length - size + 1):
            yield start, start + size
