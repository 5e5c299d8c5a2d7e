"""When the office is there: the working calendar and arithmetic in duty time.

Which hours a day has is decided in three steps, the first that speaks wins: published duty shifts,
then the special day (holiday, make-up workday, election day), then the weekly pattern. A year without
a table of special days counts as plain weekdays; `OfficeHours.has_year` lets the console say so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import chain
from typing import Any, Final, Self

from office import timetable
from office.timetable import DAY
from office.timetable import DayKind as DayKind
from office.timetable import Span as Span
from office.timetable import SpecialDay as SpecialDay
from office.timetable import TimetableFault as TimetableFault

# A fixed offset instead of a zone from tzdata: mainland China has one zone and has kept no daylight
# saving time since 1991, so +8 is exact for every moment this office handles, and a machine without
# a zone database computes the same.
BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")

SEARCH_DAYS: Final = 400
"""How far ahead duty is looked for. More than a year, so that a yearly opening is still found."""


@dataclass(frozen=True)
class OfficeHours:
    """The hours of one office. Moments go in aware (any zone) and come out as aware UTC.

    `weekly` maps `date.weekday()` (Monday is 0) to spans; a weekday left out is off. `shifts` holds the
    published roster: a date in it replaces everything else, and a date in it without spans is closed.
    Overlapping spans (a main and a standby shift) are joined. A naive moment raises ValueError.
    """

    weekly: Mapping[int, tuple[Span, ...]]
    special: Mapping[date, SpecialDay] = field(default_factory=dict)
    shifts: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    years: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if unknown := set(self.weekly) - set(range(7)):
            raise ValueError(f"weekdays are counted 0 to 6, not {sorted(unknown)}")
        object.__setattr__(self, "weekly", {day: _joined(spans) for day, spans in self.weekly.items()})
        object.__setattr__(self, "shifts", {day: _joined(spans) for day, spans in self.shifts.items()})

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Build from the structure of `data/hours.yaml`, or the same as JSON.

        Raises the first `TimetableFault`, which is a ValueError; `timetable.read` names them all.
        """
        found = timetable.read(data)
        if found.faults:
            raise found.faults[0]
        return cls.of(found)

    @classmethod
    def of(cls, table: timetable.Timetable) -> Self:
        """The hours that a timetable gives."""
        return cls(table.weekly, table.special, table.shifts, frozenset(table.years))

    def has_year(self, year: int) -> bool:
        """Whether the special days of this year have been entered; otherwise they are unknown."""
        return year in self.years

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """The hours of a Beijing day, in order, without overlaps; empty when nobody is on duty."""
        if day in self.shifts:
            return self.shifts[day]
        plain = self.weekly.get(day.weekday(), ())
        special = self.special.get(day)
        if special is None:
            return plain
        if special.kind is DayKind.REST:
            return ()
        if special.spans is not None:
            return _joined(special.spans)
        return plain or self._workday

    def is_duty_day(self, day: date) -> bool:
        """Whether the office has any hours on this Beijing day."""
        return bool(self.spans_on(day))

    def next_duty_day(self, day: date) -> date:
        """The first duty day after `day`. Raises LookupError when there is none in 400 days."""
        for ahead in range(1, SEARCH_DAYS + 1):
            later = day + ahead * DAY
            if self.is_duty_day(later):
                return later
        raise LookupError(f"no duty day within {SEARCH_DAYS} days after {day}")

    def is_open(self, at: datetime) -> bool:
        """Whether somebody is on duty at this moment; at the closing time itself nobody is."""
        at = _utc(at)
        return any(opens <= at < closes for opens, closes in self._stretches(beijing_day(at)))

    def next_open(self, at: datetime) -> datetime | None:
        """`at` itself when open, else the next opening; None when there is none within 400 days."""
        at = _utc(at)
        today = beijing_day(at)
        for ahead in range(SEARCH_DAYS + 1):
            for opens, closes in self._stretches(today + ahead * DAY):
                if at < closes:
                    return max(at, opens)
        return None

    def closes_at(self, at: datetime) -> datetime | None:
        """When the duty in which `at` lies ends, at most at the end of its day; None when closed."""
        at = _utc(at)
        stretches = self._stretches(beijing_day(at))
        return next((closes for opens, closes in stretches if opens <= at < closes), None)

    def add_duty(self, at: datetime, amount: timedelta) -> datetime:
        """The earliest moment at which `amount` of duty time has passed since `at`.

        An amount used up exactly at closing time gives the closing time, not the next opening; nothing
        to add gives `at`. Raises ValueError for a negative amount, LookupError when 400 days in a row
        have no duty.
        """
        at = _utc(at)
        if amount < timedelta(0):
            raise ValueError("duty time cannot be taken back")
        if not amount:
            return at
        day, idle, left = beijing_day(at), 0, amount
        while idle <= SEARCH_DAYS:
            stretches = self._stretches(day)
            idle = 0 if stretches else idle + 1
            for opens, closes in stretches:
                begin = max(opens, at)
                if closes - begin >= left:
                    return begin + left
                left -= max(closes - begin, timedelta(0))
            day += DAY
        raise LookupError(f"no duty hours within {SEARCH_DAYS} days before {day}")

    def duty_between(self, a: datetime, b: datetime) -> timedelta:
        """Duty time from `a` to `b`; zero when `b` is not after `a`."""
        a, b = _utc(a), _utc(b)
        days = range((beijing_day(b) - beijing_day(a)).days + 1)
        stretches = chain.from_iterable(self._stretches(beijing_day(a) + ahead * DAY) for ahead in days)
        parts = (min(closes, b) - max(opens, a) for opens, closes in stretches)
        return sum((part for part in parts if part > timedelta(0)), timedelta(0))

    @property
    def _workday(self) -> tuple[Span, ...]:
        # A make-up Saturday has no weekly hours of its own: it gets those of the first weekday that
        # has any. An office whose weekdays differ writes the spans of the make-up day out.
        return next((self.weekly[day] for day in range(7) if self.weekly.get(day)), ())

    def _stretches(self, day: date) -> list[tuple[datetime, datetime]]:
        spans = self.spans_on(day)
        return [(moment(day, span.opens), moment(day, span.closes)) for span in spans]


def beijing_day(at: datetime) -> date:
    """The Beijing calendar day of an aware moment. Raises ValueError for a naive one."""
    return _utc(at).astimezone(BEIJING).date()


def moment(day: date, since_midnight: timedelta) -> datetime:
    """The UTC moment at this distance from 0:00 Beijing time; 24 hours is the end of the day."""
    return datetime.combine(day, time(0), BEIJING).astimezone(UTC) + since_midnight


def _utc(at: datetime) -> datetime:
    # astimezone() would silently read a naive moment in the zone of the machine.
    if at.utcoffset() is None:
        raise ValueError("a moment needs its time zone")
    return at.astimezone(UTC)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.opens, span.closes)):
        if joined and span.opens <= joined[-1].closes:
            longer = max(joined[-1], span, key=lambda either: either.closes)
            joined[-1] = Span(joined[-1].start, longer.end)
        else:
            joined.append(span)
    return tuple(joined)
