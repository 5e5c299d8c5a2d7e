"""When the office is there: the working calendar and arithmetic in duty time.

Which hours a day has is decided in three steps, the first that speaks wins: published duty shifts,
then the special day (holiday, make-up workday, election day), then the weekly pattern. A year without
a table of special days counts as plain weekdays; `OfficeHours.has_year` lets the console say so.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from itertools import chain
from typing import Any, Final, Self

# A fixed offset instead of a zone from tzdata: mainland China has one zone and has kept no daylight
# saving time since 1991, so +8 is exact for every moment this office handles, and a machine without
# a zone database computes the same.
BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")

SEARCH_DAYS: Final = 400
"""How far ahead duty is looked for. More than a year, so that a yearly opening is still found."""

_DAY: Final = timedelta(days=1)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN_TEXT: Final = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~至]\s*(\d{1,2}):(\d{2})", re.ASCII)


class DayKind(StrEnum):
    """What a special day is: worked (with its own hours), off (放假), or worked in exchange (调休)."""

    WORK = "work"
    REST = "rest"
    MAKE_UP = "make_up"


@dataclass(frozen=True)
class Span:
    """One stretch of duty within a day, Beijing time; the start belongs to it, the end does not.

    `time` knows no 24:00, so midnight as `end` means the end of the day. Calculate with `opens` and
    `closes`, which are distances from 0:00. Raises ValueError when the end is not after the start.
    """

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.opens >= self.closes:
            raise ValueError(f"a span must end after it starts: {self}")

    @property
    def opens(self) -> timedelta:
        """Distance of the start from 0:00."""
        return _since_midnight(self.start)

    @property
    def closes(self) -> timedelta:
        """Distance of the end from 0:00; 24 hours when the span lasts to the end of the day."""
        return _since_midnight(self.end) or _DAY

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `8:30-11:30`; `24:00` is allowed as the end. Raises ValueError when it is neither."""
        found = _SPAN_TEXT.fullmatch(unicodedata.normalize("NFKC", text).strip())
        if found is None:
            raise ValueError(f"not a span of hours: {text!r}")
        hour, minute, end_hour, end_minute = map(int, found.groups())
        end = time(0) if (end_hour, end_minute) == (24, 0) else time(end_hour, end_minute)
        return cls(time(hour, minute), end)

    def __str__(self) -> str:
        end = "24:00" if self.end == time(0) else f"{self.end.hour}:{self.end:%M}"
        return f"{self.start.hour}:{self.start:%M}–{end}"


@dataclass(frozen=True)
class SpecialDay:
    """A day that departs from the weekly pattern.

    `spans=None` means the hours of an ordinary workday for WORK and MAKE_UP, and none for REST;
    a REST day with hours contradicts itself and raises ValueError.
    """

    kind: DayKind
    name: str
    spans: tuple[Span, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind is DayKind.REST and self.spans:
            raise ValueError(f"{self.name}: a day of rest has no hours")


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
        """Build from the structure of `data/hours.yaml`.

        Raises ValueError that names the faulty place: an unknown weekday or kind, a date outside its
        year or given twice, a table without its source, or a week in which the office never opens
        (no promise could be computed from it).
        """
        weekly = _weekly_from(_mapping(data.get("weekly"), "weekly"))
        special: dict[date, SpecialDay] = {}
        years = _mapping(data.get("years") or {}, "years")
        for year, table in years.items():
            if not isinstance(year, int):
                raise ValueError(f"years: {year!r} is not a year")
            for day, entry in _year_from(year, _mapping(table, f"year {year}")):
                if day in special:
                    raise ValueError(f"year {year}: {day} is given twice")
                special[day] = entry
        return cls(weekly, special, years=frozenset(years))

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
            later = day + ahead * _DAY
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
            for opens, closes in self._stretches(today + ahead * _DAY):
                if at < closes:
                    return max(at, opens)
        return None

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
            day += _DAY
        raise LookupError(f"no duty hours within {SEARCH_DAYS} days before {day}")

    def duty_between(self, a: datetime, b: datetime) -> timedelta:
        """Duty time from `a` to `b`; zero when `b` is not after `a`."""
        a, b = _utc(a), _utc(b)
        days = range((beijing_day(b) - beijing_day(a)).days + 1)
        stretches = chain.from_iterable(self._stretches(beijing_day(a) + ahead * _DAY) for ahead in days)
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


def _since_midnight(clock: time) -> timedelta:
    return datetime.combine(date.min, clock) - datetime.combine(date.min, time(0))


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.opens, span.closes)):
        if joined and span.opens <= joined[-1].closes:
            longer = max(joined[-1], span, key=lambda either: either.closes)
            joined[-1] = Span(joined[-1].start, longer.end)
        else:
            joined.append(span)
    return tuple(joined)


def _weekly_from(data: Mapping[Any, Any]) -> dict[int, tuple[Span, ...]]:
    if unknown := [name for name in data if name not in _WEEKDAYS]:
        raise ValueError(f"weekly: unknown weekday {unknown[0]!r}")
    weekly = {_WEEKDAYS.index(name): _spans_from(spans, f"weekly, {name}") for name, spans in data.items()}
    if not any(weekly.values()):
        raise ValueError("weekly: the office never opens")
    return weekly


def _year_from(year: int, table: Mapping[Any, Any]) -> Iterator[tuple[date, SpecialDay]]:
    if not str(table.get("source") or "").strip():
        raise ValueError(f"year {year}: the source of the table is missing")
    for row in table.get("days") or ():
        try:
            yield from _row_from(year, _mapping(row, "day"))
        except ValueError as error:
            raise ValueError(f"year {year}: {row!r}: {error}") from error


def _row_from(year: int, row: Mapping[Any, Any]) -> Iterator[tuple[date, SpecialDay]]:
    first = _date(row.get("from", row.get("day")))
    last = _date(row.get("to", first))
    name = str(row.get("name") or "").strip()
    if not name or first > last or {first.year, last.year} != {year}:
        raise ValueError("a name and dates of this year in order are needed")
    spans = _spans_from(row["spans"], name) if "spans" in row else None
    entry = SpecialDay(DayKind(str(row.get("kind"))), name, spans)
    yield from ((first + ahead * _DAY, entry) for ahead in range((last - first).days + 1))


def _spans_from(data: object, where: str) -> tuple[Span, ...]:
    if not isinstance(data, list | tuple) or not all(isinstance(text, str) for text in data):
        raise ValueError(f"{where}: hours are a list like ['8:30-11:30'], not {data!r}")
    return tuple(Span.parse(text) for text in data)


def _date(value: object) -> date:
    # A database gives text where YAML has already made a date of it. A datetime is a date to
    # isinstance() too, and carries a zone question this table must not raise.
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return date.fromisoformat(value)
    raise ValueError(f"{value!r} is not a date")


def _mapping(data: object, where: str) -> Mapping[Any, Any]:
    if not isinstance(data, Mapping):
        raise ValueError(f"{where}: a table of names and values is expected")
    return data
