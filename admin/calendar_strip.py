"""The calendar as a strip: one lane for each milestone, placed by day; plain numbers for a drawing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

FAR = timedelta(days=60)
"""Further from the first or last milestone, today is not drawn: it would squeeze all others together."""
MARGIN = timedelta(days=2)
NARROWEST = 1.2


@dataclass(frozen=True, slots=True)
class Lane:
    """A milestone on the strip. `left` and `width` are percentages of it, `width` 0 for a single day.

    The words stand right of the mark, or left of it (`before`) where there is more room.
    """

    label: str
    tone: str
    entered: bool
    left: float
    width: float
    before: bool

    @property
    def words_at(self) -> float:
        return self.left if self.before else self.left + self.width


@dataclass(frozen=True, slots=True)
class Strip:
    """The lanes from top to bottom, the first days of months with their places, and where today stands."""

    lanes: tuple[Lane, ...]
    months: tuple[tuple[date, float], ...]
    today: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """What is to be drawn: the first and the last day, the words, the tone, whether somebody entered it."""

    first: date
    last: date
    label: str
    tone: str
    entered: bool


def drawn(marks: Iterable[Mark], today: date) -> Strip:
    """The strip of these milestones in the order of their days; without any, an empty one."""
    ordered = sorted(marks, key=lambda mark: (mark.first, mark.last))
    if not ordered:
        return Strip((), (), None)
    first, last = ordered[0].first, max(mark.last for mark in ordered)
    near = first - FAR <= today <= last + FAR
    if near:
        first, last = min(first, today), max(last, today)
    first, last = first - MARGIN, last + MARGIN
    length = (last - first).days

    def place(day: date) -> float:
        return round(100 * (day - first).days / length, 2)

    return Strip(
        lanes=tuple(_lane(mark, place(mark.first), place(mark.last)) for mark in ordered),
        months=tuple((day, place(day)) for day in _months(first, last)),
        today=place(today) if near else None,
    )


def _lane(mark: Mark, left: float, right: float) -> Lane:
    width = 0.0 if mark.first == mark.last else max(NARROWEST, round(right - left, 2))
    return Lane(mark.label, mark.tone, mark.entered, left, width, before=left > 100 - left - width)


def _months(first: date, last: date) -> Iterator[date]:
    day = first.replace(day=1)
    while day <= last:
        if day >= first:
            yield day
        day = (day + timedelta(days=32)).replace(day=1)


def months_apart(strip: Strip, least: float) -> Sequence[tuple[date, float]]:
    """The months whose names have room: at least so many percent from the one named before."""
    kept: list[tuple[date, float]] = []
    for day, left in strip.months:
        if not kept or left - kept[-1][1] >= least:
            kept.append((day, left))
    return kept
