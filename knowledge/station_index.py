"""Finding a station by its code, a group number, words, its committee or how far it is.

An index is made from all stations at once and is never changed. Every way of finding costs about the same
however many stations there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from knowledge import station_words
from knowledge.lexicon import Lexicon
from knowledge.station_names import NameBook
from knowledge.station_nearest import Nearest, is_position
from knowledge.station_query import Part, Reader
from knowledge.station_words import StationWords
from knowledge.stations import StationKind
from knowledge.text import plain
from office.digits import fold
from office.units import group_key, group_numbers, without_group_numbers

CHOICES = 5
# Below this a name resembles what was typed too little to be worth asking about.
OFFERED = 0.6


@dataclass(frozen=True, slots=True)
class Place:
    """A station as it is found: a frozen copy of its row with the names of its units.

    `street` is the subdistrict or town it belongs to, `street_id` that unit's row number; `above` are the
    names of its unit and of those over it. `access` holds codes of `data/stations.yaml` or the office's own
    words. Position in degrees, WGS 84.
    """

    id: int
    version: int
    kind: StationKind
    code: str
    name: str
    unit_id: int
    street: str
    street_id: int
    above: tuple[str, ...]
    neighbourhood: str
    groups: tuple[str, ...]
    address: str
    near: str
    directions: str
    hours: tuple[Mapping[str, Any], ...]
    phone: str
    access: tuple[str, ...]
    note: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """One station, beyond doubt."""

    place: Place


@dataclass(frozen=True, slots=True)
class Several:
    """A choice to be offered, best first, at most five; one alone is to be confirmed by the asker.

    `more` says how many others fit as well: the asker is to name an estate or a road. `unit_id` is the
    subdistrict or town that was named, if one was.
    """

    places: tuple[Place, ...]
    more: int = 0
    unit_id: int | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """No station fits. `unit_id` is the subdistrict or town that was named and is known: its office helps."""

    unit_id: int | None = None


class StationIndex:
    """The stations that are shown, ready to be found.

    `units` are the row numbers and names of the subdistricts and towns that may be named even though they
    have no station. With a `lexicon`, dialect around the names is understood.
    """

    def __init__(
        self,
        places: Iterable[Place],
        units: Iterable[tuple[int, str]] = (),
        lexicon: Lexicon | None = None,
        words: StationWords | None = None,
    ) -> None:
        self._places = tuple(sorted(places, key=_order))
        self._gone: frozenset[int] = frozenset()
        self._codes: dict[tuple[StationKind, tuple[int, int]], int] = {}
        self._groups: dict[tuple[int, int], list[int]] = {}
        for number, place in enumerate(self._places):
            self._codes.setdefault((place.kind, group_key(place.code)), number)
            for group in place.groups:
                self._groups.setdefault(group_key(group), []).append(number)
        words = words or station_words.shipped()
        self._streets = {plain(name): unit_id for unit_id, name in units}
        self._streets |= {plain(place.street): place.street_id for place in self._places}
        self._book = _book(self._places, self._streets, words)
        self._reader = Reader(self._book, words, lexicon)
        self._located = [
            number
            for number, place in enumerate(self._places)
            if None not in (place.latitude, place.longitude)
        ]
        self._nearest = Nearest([_position(self._places[number]) for number in self._located])

    @property
    def places(self) -> tuple[Place, ...]:
        """All stations, by kind and code."""
        return tuple(place for number, place in enumerate(self._places) if number not in self._gone)

    def without(self, ids: Iterable[int]) -> StationIndex:
        """The same index, never giving the stations with these row numbers."""
        unwanted = frozenset(ids)
        made = copy(self)
        made._gone = self._gone | {n for n, place in enumerate(self._places) if place.id in unwanted}
        return made

    def by_code(self, code: str, kind: StationKind | None = None) -> Place | None:
        """The station whose posters carry this code (12-3 is 12-03); registration before polling.

        None for an unknown code and for what is no code.
        """
        try:
            key = group_key(code)
        except ValueError:
            return None
        for each in (kind,) if kind else StationKind:
            number = self._codes.get((each, key))
            if number is not None and number not in self._gone:
                return self._places[number]
        return None

    def by_group(self, group_no: str, kind: StationKind | None = None) -> tuple[Place, ...]:
        """The stations that serve a voter group; none for what is no group number."""
        try:
            numbers = self._groups.get(group_key(group_no), ())
        except ValueError:
            return ()
        return tuple(self._places[number] for number in self._kept(numbers, kind))

    def by_words(
        self, text: str, limit: int = CHOICES, kind: StationKind | None = None
    ) -> list[tuple[Place, float]]:
        """Stations that fit the words, best first, with how well: above 0, 1 for what fits completely.

        Whatever in the words names a unit must agree; typing errors and missing characters cost something.
        """
        scores = self._scores(self._reader.read(text), kind)
        best = nsmallest(limit, scores.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(self._places[number], score) for number, score in best]

    def near(
        self, latitude: float, longitude: float, limit: int = 3, kind: StationKind | None = None
    ) -> list[tuple[Place, float]]:
        """The nearest stations that have a position, with their distance in metres, nearest first.

        Raises ValueError for what is no position on the globe.
        """
        if not is_position(latitude, longitude):
            raise ValueError("no position on the globe")

        def allowed(number: int) -> bool:
            return bool(self._kept((self._located[number],), kind))

        found = self._nearest.find(latitude, longitude, limit, allowed if self._gone or kind else None)
        return [(self._places[self._located[number]], metres) for number, metres in found]

    def _kept(self, numbers: Iterable[int], kind: StationKind | None) -> list[int]:
        return [
            number
            for number in numbers
            if number not in self._gone and (kind is None or self._places[number].kind is kind)
        ]

    def _scores(self, parts: Sequence[Part], kind: StationKind | None) -> dict[int, float]:
        """The stations that the parts may mean, with the share of the text that each explains."""
        fits = [part.fit() for part in parts]
        pairs = list(zip(parts, fits, strict=True))
        if any(part.unit and not part.names for part in parts):
            return {}
        units = [fit.places for part, fit in pairs if part.unit]
        names = [fit.places for part, fit in pairs if not part.unit and part.names]
        # Two estates that no station of this kind serves both: a choice between them.
        ways = [[*units, *names], *([*units, places] for places in names if len(names) > 1)]
        chosen = self._kept(_common(ways[0]), kind)
        chosen = chosen or [number for way in ways[1:] for number in self._kept(_common(way), kind)]
        length = sum(len(part.text) for part in parts)
        weights = [len(part.text) / length for part in parts]
        return {
            number: sum(weight * fit.of(number) for weight, fit in zip(weights, fits, strict=True))
            for number in chosen
        }

    def _street(self, parts: Sequence[Part]) -> int | None:
        """The one subdistrict or town that the parts name."""
        named = {
            self._streets[name.text] for part in parts for name, _ in part.names if name.text in self._streets
        }
        return named.pop() if len(named) == 1 else None

    def find(self, query: str, kind: StationKind | None = None) -> Found | Several | Nothing:
        """See `find`."""
        kind = _said_kind(query) or kind
        numbers = group_numbers(query)
        parts = self._reader.read(without_group_numbers(query) if numbers else query)
        street = self._street(parts)
        if any(part.unit and not part.names for part in parts):
            return Nothing(street)
        if numbers:
            return self._by_numbers(query, numbers, parts, kind)
        scores = self._scores(parts, kind)
        named = [part.fit() for part in parts if part.names and not part.unit]
        if not named and any(not part.names for part in parts):
            return Nothing(street)
        if named:
            scores = {n: score for n, score in scores.items() if max(fit.of(n) for fit in named) >= OFFERED}
        return self._decided(scores, all(part.exact for part in parts), street)

    def _by_numbers(
        self, query: str, numbers: Sequence[str], parts: Sequence[Part], kind: StationKind | None
    ) -> Found | Several | Nothing:
        """A number that is written out settles it, unless the words beside it mean another station."""
        meant = dict.fromkeys(number for each in numbers for number in self._numbered(each, kind))
        words = self._scores(parts, kind)
        street = self._street(parts)
        if any(part.names for part in parts):
            agreed = [number for number in meant if number in words]
            if not agreed and any(part.unit for part in parts) and not words:
                return Nothing(street)
            meant = dict.fromkeys(agreed or [*meant, *nsmallest(CHOICES, words)])
            sure = bool(agreed) and all(part.exact for part in parts)
        else:
            sure = not parts
        # A number with one digit in a part may be a date: it is asked about, unless it is said in words.
        written = "选区" in query or all(number in fold(query).symbols for number in numbers)
        return self._decided(dict.fromkeys(meant, 1.0), sure and written, street)

    def _numbered(self, group_no: str, kind: StationKind | None) -> Iterator[int]:
        key = group_key(group_no)
        coded = [self._codes[each, key] for each in StationKind if (each, key) in self._codes]
        yield from self._kept(coded, kind)
        yield from self._kept(self._groups.get(key, ()), kind)

    def _decided(
        self, scores: Mapping[int, float], sure: bool, street: int | None
    ) -> Found | Several | Nothing:
        if not scores:
            return Nothing(street)
        best = nsmallest(CHOICES, scores, key=lambda number: (-scores[number], number))
        places = tuple(self._places[number] for number in best)
        if sure and len(scores) == 1:
            return Found(places[0])
        return Several(places, len(scores) - len(places), street)


def find(index: StationIndex, query: str, kind: StationKind | None = None) -> Found | Several | Nothing:
    """What to answer to words, a code or a group number.

    One station is found only if every part of the query is known, written as it is called, and means this one
    alone. Whatever is doubtful, a misspelt name as well, becomes a choice; what is unknown finds nothing.
    投票 or 登记 in the query goes before `kind`, which is what the caller expects to be wanted.
    """
    return index.find(query, kind)


def _order(place: Place) -> tuple[str, tuple[int, int], int]:
    return "" if place.kind is StationKind.REGISTRATION else place.kind, group_key(place.code), place.id


def _position(place: Place) -> tuple[float, float]:
    assert place.latitude is not None
    assert place.longitude is not None
    return place.latitude, place.longitude


def _common(sets: Sequence[Collection[int]]) -> Collection[int]:
    """What is in all of them; no copy of a single one."""
    if len(sets) <= 1:
        return sets[0] if sets else ()
    smallest, *others = sorted(sets, key=len)
    return [number for number in smallest if all(number in other for other in others)]


def _said_kind(query: str) -> StationKind | None:
    polling, registering = "投票" in query, "登记" in query
    if polling == registering:
        return None
    return StationKind.POLLING if polling else StationKind.REGISTRATION


def _book(places: Sequence[Place], streets: Iterable[str], words: StationWords) -> NameBook:
    book = NameBook(words)
    for street in streets:
        book.add_street(street)
    units: dict[str, str] = {}
    for number, place in enumerate(places):
        units.update((name, plain(name)) for name in place.above if name not in units)
        above = [units[name] for name in place.above]
        book.add_place(
            number, above, words.names(place.name, place.neighbourhood, place.near, place.address, above)
        )
    book.finish()
    return book
