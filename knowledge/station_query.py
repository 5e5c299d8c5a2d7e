"""What a question about a place names: units, estates, roads, and what nobody knows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from knowledge.grams import sound
from knowledge.lexicon import Lexicon
from knowledge.station_names import Name, NameBook
from knowledge.station_words import StationWords
from knowledge.text import is_latin, normalise, plain

_MOST = 80
_LONGEST_SPELLED = 12
_PIECES = re.compile(r"[\s，,。、；;：:！!？?（）()·|/]+")
# A door within an estate or at a road: says nothing about which station is meant.
_DOOR = re.compile(
    r"[0-9]+(?:号楼|支弄|弄|号|幢|栋|单元|室|楼|层|座|区|期)?(?:[0-9]*(?:号楼|支弄|号|幢|栋|单元|室|楼|层|座))*"
)
_HOUSE = re.compile(r"[0-9]+(?:支弄|弄|号)")
_ROADS = ("路", "街", "巷", "道")


class Fit:
    """Places with how well they fit. One name's places are not copied: a whole district may bear it."""

    def __init__(
        self, name: Name | None = None, strength: float = 0.0, strengths: Mapping[int, float] | None = None
    ) -> None:
        self.places: Collection[int] = name.places if name else strengths or {}
        self._strength, self._strengths = strength, strengths

    def of(self, number: int) -> float:
        """How well a place fits, up to 1; 0 if it does not."""
        if self._strengths is not None:
            return self._strengths.get(number, 0.0)
        return self._strength if number in self.places else 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a query that names something: the names it may be, each with a strength up to 1.

    No names at all: it is unknown. `unit`: it is called as units are.
    """

    text: str
    names: tuple[tuple[Name, float], ...] = ()
    unit: bool = False

    @property
    def exact(self) -> bool:
        return len(self.names) == 1 and self.names[0][1] == 1

    def fit(self) -> Fit:
        """How well the part fits each place that it may mean."""
        if len(self.names) == 1:
            return Fit(*self.names[0])
        strengths: dict[int, float] = {}
        for name, strength in self.names:
            for number in name.places:
                strengths[number] = max(strengths.get(number, 0.0), strength)
        return Fit(strengths=strengths)


class Reader:
    """Reads queries with the names of a book."""

    def __init__(self, book: NameBook, words: StationWords, lexicon: Lexicon | None) -> None:
        self._book, self._words, self._lexicon = book, words, lexicon

    def read(self, query: str) -> list[Part]:
        """The parts of a query that name something or look as if they did; at most 80 characters are read."""
        return [part for piece in _pieces(query) for part in self._piece(piece)]

    def _piece(self, text: str) -> Iterator[Part]:
        if is_latin(text):
            yield from self._spelled(text)
            return
        before = ""
        for known, run in self._cut(text):
            if known:
                names = [name for name in (self._book.name(run), self._book.street(run)) if name]
                yield Part(run, tuple((name, 1.0) for name in names), all(name.unit for name in names))
            elif rest := self._rest(run, before):
                yield self._unknown(rest)
            before = run

    def _spelled(self, text: str) -> Iterator[Part]:
        """The names of a text in pinyin, longest first; what is between them is taken for talk."""
        codes = sound(text)
        at, met = 0, False
        while at < len(codes):
            for end in range(min(len(codes), at + _LONGEST_SPELLED), at + 1, -1):
                if found := self._book.sounding(codes[at:end]):
                    yield self._part(codes[at:end], found)
                    at, met = end, True
                    break
            else:
                at += 1
        if not met:
            yield Part(text)

    def _cut(self, text: str) -> list[tuple[bool, str]]:
        """The text in runs: names, longest first, and what is between them."""
        runs: list[tuple[bool, str]] = []
        at = start = 0
        while at < len(text):
            length = self._book.longest_at(text, at)
            if length and self._alone(text, at, at + length):
                if start < at:
                    runs.append((False, text[start:at]))
                runs.append((True, text[at : at + length]))
                start = at = at + length
            else:
                at += 1
        return [*runs, (False, text[start:])] if start < len(text) else runs

    def _alone(self, text: str, start: int, end: int) -> bool:
        """Whether what stands here is a whole name, or a short form with nothing unknown beside it: 临江 is a
        street's, 临江花园 is something else."""
        if self._book.name(text[start:end]) is not None:
            return True
        rest = text[end:]
        if self._words.without_fillers(text[:start]):
            return False
        return not self._words.without_fillers(rest) or bool(self._book.longest_at(rest, 0))

    def _rest(self, run: str, before: str) -> str:
        """What a run names beyond doors and words that name nothing."""
        at_road = before.endswith(_ROADS)
        if at_road and (house := _HOUSE.match(run)):
            return house[0]
        for text in self._readings(run):
            rest = self._words.without_fillers(_DOOR.sub("", text))
            if not rest:
                return ""
        return self._words.without_fillers(_DOOR.sub("", run))

    def _readings(self, run: str) -> Iterator[str]:
        yield run
        # In dialect, and only where it is no name: the lexicon would rewrite names as well.
        if self._lexicon is not None:
            yield normalise(run, self._lexicon)

    def _unknown(self, run: str) -> Part:
        return self._part(run, self._book.nearly(run))

    def _part(self, run: str, found: Mapping[str, float]) -> Part:
        names = [(self._book.name(text), strength) for text, strength in found.items()]
        known = tuple((name, strength) for name, strength in names if name is not None)
        unit = all(name.unit for name, _ in known) if known else self._words.is_unit(run)
        return Part(run, known, unit)


def _pieces(query: str) -> list[str]:
    """A query cut at spaces and marks; what was spaced out character by character is put together again."""
    pieces: list[str] = []
    loose = False
    for raw in _PIECES.split(query[: 4 * _MOST]):
        piece = plain(raw)[:_MOST]
        apart = len(piece) == 1 or is_latin(piece)
        if apart and loose and is_latin(piece) == is_latin(pieces[-1]):
            pieces[-1] += piece
        elif piece:
            pieces.append(piece)
        if piece:
            loose = apart
    return pieces
