"""Two calendars beside each other: which milestone had which date, has which, and what people are told of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from knowledge import calendar
from knowledge.milestones import DateKind, Dates, K, KeyDate
from office.words import CHINESE

TOLD = (K.REGISTRATION, K.LIST_POSTED, K.VOTING)
"""What whoever asked for reminders plans by, and so is told of when it moves."""


@dataclass(frozen=True, slots=True)
class Move:
    """One milestone before and after a change; None where it has no date. `audience` tells windows apart."""

    kind: DateKind
    audience: str
    before: KeyDate | None
    after: KeyDate | None

    @property
    def moved(self) -> bool:
        """Whether the days are other ones, or are known otherwise than before."""
        return _shown(self.before) != _shown(self.after)

    @property
    def told(self) -> bool:
        """Whether subscribers are told; a list that is posted in good time has not moved."""
        if self.kind not in TOLD or not self.moved:
            return False
        old, new = self.before, self.after
        if old is None or new is None:
            return True
        kept_in_time = old.latest and not new.latest and new.last <= old.last
        return not kept_in_time and (old.first, old.last) != (new.first, new.last)

    def as_facts(self) -> dict[str, Any]:
        """As JSON values, for a message."""
        return {
            "kind": self.kind.value,
            "audience": self.audience,
            "old": as_facts(self.before) if self.before else None,
            "new": as_facts(self.after) if self.after else None,
        }


def compared(before: Dates, after: Dates) -> tuple[Move, ...]:
    """Every milestone of either calendar, in the order of the kinds; windows by audience, then in turn."""
    rows = []
    for kind in DateKind:
        old, new = numbered(before.get(kind, [])), numbered(after.get(kind, []))
        rows += [Move(kind, name[0], old.get(name), new.get(name)) for name in dict.fromkeys([*new, *old])]
    return tuple(rows)


def numbered(found: Iterable[KeyDate]) -> dict[tuple[str, int], KeyDate]:
    """Key dates of one kind by audience and their turn in it: of one audience there may be several spans."""
    turns: Counter[str] = Counter()
    shown = {}
    for one in found:
        shown[one.audience, turns[one.audience]] = one
        turns[one.audience] += 1
    return shown


def when(key_date: KeyDate, today: date, lang: str = CHINESE) -> str:
    """The day or days in words, each with its year where that is not the year of `today`:
    2027年1月5日（周二）, Tue 5 Jan 2027."""
    said = calendar.when(key_date, lang)
    # The last day stands behind the first, whose words may end on the same ones.
    if key_date.last.year != today.year:
        head, found, tail = said.rpartition(calendar.spoken(key_date.last, lang))
        said = f"{head}{_dated(key_date.last, lang)}{tail}" if found else said
    if key_date.first != key_date.last and key_date.first.year != today.year:
        said = said.replace(calendar.spoken(key_date.first, lang), _dated(key_date.first, lang), 1)
    return said


def _dated(day: date, lang: str) -> str:
    said = calendar.spoken(day, lang)
    return f"{day.year}年{said}" if lang == CHINESE else f"{said} {day.year}"


def told(moves: Iterable[Move]) -> list[Move]:
    """Those of which subscribers are told."""
    return [move for move in moves if move.told]


def as_facts(key_date: KeyDate) -> dict[str, Any]:
    """A key date as JSON values."""
    return {
        "kind": key_date.kind.value,
        "audience": key_date.audience,
        "first": key_date.first.isoformat(),
        "last": key_date.last.isoformat(),
        "latest": key_date.latest,
        "note": key_date.note,
    }


def from_facts(facts: dict[str, Any]) -> KeyDate:
    """The key date of `as_facts`."""
    return KeyDate(
        DateKind(facts["kind"]),
        date.fromisoformat(facts["first"]),
        date.fromisoformat(facts["last"]),
        latest=facts["latest"],
        audience=facts["audience"],
        note=facts["note"],
    )


def _shown(key_date: KeyDate | None) -> tuple[Any, ...]:
    return (key_date.first, key_date.last, key_date.latest, key_date.note) if key_date else ()
