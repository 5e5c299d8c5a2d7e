"""Terms of the law that run on a ticket: whole Beijing days, which nothing pauses and no rest day moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum, auto
from typing import Final

from knowledge.calendar import Tense, tense_of
from knowledge.milestones import DateKind, K, KeyDate

DECISION_DAYS: Final = 3
"""Days from receipt within which an appeal is decided (选举法第二十九条), where no calendar says so."""
PRESSING: Final = 1
"""From so many days before its end on a term is warned of."""

Dates = Mapping[DateKind, Sequence[KeyDate]]


class Term(StrEnum):
    """Where a day stands to a term of the list; `UNKNOWN` while no calendar tells."""

    UNKNOWN = auto()
    NOT_YET = auto()
    OPEN = auto()
    OVER = auto()


class Alarm(StrEnum):
    """How loudly the end of a term is said."""

    NONE = auto()
    PRESSING = auto()
    TODAY = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class AppealClock:
    """What an appeal received on a day owes: a decision by `decided`; `suits` is the last day to sue."""

    decided: date
    suits: date | None


def appeal_term(dates: Dates, today: date) -> Term:
    """Whether the list can be appealed against: from its posting until five days after (选举法第二十九条)."""
    return _term(dates, K.APPEALS_CLOSE, today)


def correction_term(dates: Dates, today: date) -> Term:
    """Whether the posted list is being amended: until two days before the election (细则第二十五条)."""
    return _term(dates, K.LIST_AMENDED, today)


def appeal_clock(dates: Dates, received: date) -> AppealClock:
    """The clock of an appeal that reached the office on this Beijing day.

    The decision is counted from the receipt, by the region's rule or the district's own distance.
    """
    rule = dates.get(K.APPEAL_DECIDED)
    days = rule[0].days if rule and rule[0].days is not None else DECISION_DAYS
    suits = dates.get(K.SUITS_CLOSE)
    return AppealClock(received + timedelta(days=days), suits[0].last if suits else None)


def correction_due(dates: Dates, today: date) -> date | None:
    """The last day on which the list is amended; None once it is over, or while no calendar tells."""
    found = dates.get(K.LIST_AMENDED)
    return found[0].last if found and found[0].last >= today else None


def pressed(dates: Dates, today: date) -> bool:
    """Whether a term of the list is open, so that whoever asks about it must hear in hours."""
    return Term.OPEN in (appeal_term(dates, today), correction_term(dates, today))


def days_left(due: date, today: date) -> int:
    """Whole days until a term ends: 0 on its last day, less than 0 after it."""
    return (due - today).days


def alarm(due: date, today: date) -> Alarm:
    """How loudly to say it: from a day before the end on, on the last day, after it."""
    left = days_left(due, today)
    if left < 0:
        return Alarm.OVER
    if left == 0:
        return Alarm.TODAY
    return Alarm.PRESSING if left <= PRESSING else Alarm.NONE


def _term(dates: Dates, kind: DateKind, today: date) -> Term:
    found = dates.get(kind)
    if not found:
        return Term.UNKNOWN
    where = tense_of(found[0], today)
    if where is Tense.BEFORE:
        return Term.NOT_YET
    return Term.OVER if where is Tense.OVER else Term.OPEN
