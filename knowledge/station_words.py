"""The words of `data/stations.yaml` by which stations are asked for and named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.text import plain

FILE = Path(__file__).parent.parent / "data" / "stations.yaml"


@cache
def data() -> Mapping[str, Any]:
    """The whole file, as it stands."""
    loaded: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True, slots=True)
class Names:
    """What a place can be called: committees and names, and the cores of both, which are half a name."""

    committees: frozenset[str]
    names: frozenset[str]
    cores: frozenset[str]


_ROAD = re.compile(
    r"([^0-9路街巷道]{1,8}(?:大道|公路|路|街|巷|道))((?:[0-9]+(?:支弄|弄|号|幢|栋|室|楼|层|单元|-)*)*)(.*)"
)
_FIRST_NUMBER = re.compile(r"[0-9]+(?:支弄|弄|号)")
_PIECES = re.compile(r"[\s、，,；;。/／()（）|]+")


class StationWords:
    """How names are read out of the columns of a station, and which words of a question name nothing."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.streets = _longest(found["streets"])
        self.committees = tuple(map(_longest, found["committees"]))
        self.estates = _longest(found["estates"])
        self.generic = frozenset(map(plain, found["generic"])) | frozenset(self.estates)
        self._stations = _longest(found["stations"])
        self._beside = _longest([*found["beside"], *found["rooms"]])
        self._all_committees = _longest(suffix for group in self.committees for suffix in group)
        self._units, self._no_units = _longest(found["units"]), _longest(found["no_units"])
        self._fillers = re.compile("|".join(map(re.escape, _longest(found["fillers"]))))

    def is_unit(self, text: str) -> bool:
        """Whether a text is what a unit is called: 西岸区, 幸福居委会; but not 花园小区."""
        return text.endswith(self._units) and not text.endswith(self._no_units) and text not in self._units

    def without_fillers(self, text: str) -> str:
        """What is left of a text without the words that name nothing."""
        return self._fillers.sub("", text)

    def short_street(self, name: str) -> str:
        """临江 for 临江街道; empty when nothing or too little is left."""
        return _without(name, self.streets, least=2)

    def core(self, name: str) -> str:
        """书香 for 书香苑 or 书香居委会; empty when nothing or too little is left."""
        return _without(name, self._all_committees, least=2) or _without(name, self.estates, least=2)

    def names(self, name: str, neighbourhood: str, near: str, address: str, above: Sequence[str]) -> Names:
        """All names of a place; `above` are the names of its units, which an address often begins with."""
        committees, names = set(self._committee(plain(neighbourhood))), set[str]()
        for text in (name, *_PIECES.split(near)):
            bare = self._bare(plain(text))
            names |= {bare, self._below(bare, above)}
        names |= self._of_address(plain(address), above)
        kept = (
            {text for text in names if len(text) >= 2 and text not in self.generic} - committees - set(above)
        )
        for text in tuple(kept):
            # A committee is also named in its station's name and address.
            if text.endswith(self._all_committees):
                kept |= set(self._committee(text)) - committees
        cores = {core for text in kept | committees if (core := self.core(text))}
        cores = {core for core in cores if core not in self.generic} - kept - committees
        return Names(frozenset(committees), frozenset(kept), frozenset(cores))

    def _committee(self, text: str) -> Iterator[str]:
        """A committee in every way it is called: 书香居委会, 书香居民区, 书香社区 …"""
        if not text:
            return
        yield text
        for group in self.committees:
            if core := _without(text, group, least=2):
                yield from (core + suffix for suffix in group)
                return

    def _bare(self, text: str) -> str:
        text = _without(text, self._stations) or text
        while bare := _without(text, self._beside, least=2):
            text = bare
        return text

    def _below(self, text: str, above: Sequence[str]) -> str:
        for unit in above:
            if len(text) > len(unit) and text.startswith(unit):
                text = text[len(unit) :]
        return text

    def _of_address(self, address: str, above: Sequence[str]) -> set[str]:
        found = _ROAD.match(self._below(address, above))
        if found is None:
            return {self._bare(self._below(address, above))}
        road, number, rest = found.groups()
        first = _FIRST_NUMBER.match(number)
        names = {road, road + number, self._bare(rest)}
        return names | {road + first[0]} if first else names


@cache
def shipped() -> StationWords:
    """The words of the file."""
    return StationWords(data()["search"])


def _longest(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({plain(word) for word in words}, key=lambda word: (-len(word), word)))


def _without(text: str, endings: Sequence[str], least: int = 1) -> str:
    """The text without the longest of these endings ; empty if it has none or too little is left."""
    if not text.endswith(tuple(endings)):
        return ""
    for ending in endings:
        if text.endswith(ending) and len(text) - len(ending) >= least:
            return text[: -len(ending)]
    return ""
