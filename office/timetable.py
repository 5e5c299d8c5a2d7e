"""What a timetable says: hours of the week, special days of each year, duty shifts; and every fault in it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, Self

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS: Final = ("weekly", "years", "shifts")
DAY: Final = timedelta(days=1)
_SPAN_TEXT: Final = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~至]\s*(\d{1,2}):(\d{2})", re.ASCII)
_ROW: Final = frozenset({"day", "from", "to", "kind", "name", "spans"})

Place = tuple[str | int, ...]


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
        return _since_midnight(self.end) or DAY

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `8:30-11:30`; `24:00` is allowed as the end. Raises ValueError when it is neither."""
        found = _SPAN_TEXT.fullmatch(unicodedata.normalize("NFKC", text).strip())
        if found is None:
            raise ValueError(f"not a span of hours: {text!r}")
        hour, minute, end_hour, end_minute = map(int, found.groups())
        end = time(0) if (end_hour, end_minute) == (24, 0) else time(end_hour, end_minute)
        return cls(time(hour, minute), end)

    @property
    def plain(self) -> str:
        """As it is written in data: `8:30-11:30`, which `parse` reads."""
        return str(self).replace("–", "-")

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


class TimetableFault(ValueError):
    """One fault of a timetable.

    `key` is a short name of what is wrong, whose wording is `hours_fault.<key>`; `where` leads to the place
    in the data, such as `("years", 2026, "days", 3)`, counted from 0; `facts` fill the wording.
    """

    def __init__(self, key: str, where: Place, **facts: Any) -> None:
        told = ", ".join(f"{name}={value!r}" for name, value in facts.items())
        super().__init__(f"{', '.join(map(str, where)) or 'timetable'}: {key} {told}".rstrip())
        self.key = key
        self.where = where
        self.facts = facts


@dataclass(frozen=True)
class SpecialRow:
    """A row of a year's table: one day, or several in a row, both ends included."""

    first: date
    last: date
    special: SpecialDay

    def days(self) -> Iterator[date]:
        """Every day of the row."""
        return (self.first + ahead * DAY for ahead in range((self.last - self.first).days + 1))

    def content(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        when = (
            {"day": self.first.isoformat()}
            if self.first == self.last
            else {"from": self.first.isoformat(), "to": self.last.isoformat()}
        )
        spans = self.special.spans
        more = {} if spans is None else {"spans": [span.plain for span in spans]}
        return {**when, "kind": self.special.kind.value, "name": self.special.name, **more}


@dataclass(frozen=True)
class YearTable:
    """The special days of one year, and where they come from: number and date of the notice."""

    source: str
    rows: tuple[SpecialRow, ...]


@dataclass(frozen=True)
class Timetable:
    """A timetable as it was read; with faults, it holds only what could be read."""

    weekly: Mapping[int, tuple[Span, ...]]
    years: Mapping[int, YearTable]
    shifts: Mapping[date, tuple[Span, ...]]
    faults: tuple[TimetableFault, ...] = field(default=(), compare=False)

    @property
    def special(self) -> dict[date, SpecialDay]:
        """The special days of all years."""
        return {day: row.special for table in self.years.values() for row in table.rows for day in row.days()}

    def content(self) -> dict[str, Any]:
        """The timetable as plain JSON values in one fixed form: what a signed change carries."""
        years = {
            str(year): {"source": table.source, "days": [row.content() for row in table.rows]}
            for year, table in sorted(self.years.items())
        }
        week = {WEEKDAYS[day]: [span.plain for span in self.weekly[day]] for day in sorted(self.weekly)}
        roster = {day.isoformat(): [span.plain for span in self.shifts[day]] for day in sorted(self.shifts)}
        return {"weekly": week, "years": years, **({"shifts": roster} if roster else {})}


def read(data: object) -> Timetable:
    """Read the structure of `data/hours.yaml`, or the same as JSON, and note every fault instead of raising.

    Faults are an unknown name or kind, unreadable hours, a date that is none, lies outside its year or is
    given twice, a table without its source, and a week in which the office never opens, from which no
    promise could be computed.
    """
    return _Reading().timetable(data)


class _Reading:
    def __init__(self) -> None:
        self.faults: list[TimetableFault] = []

    def timetable(self, data: object) -> Timetable:
        if not isinstance(data, Mapping):
            return Timetable({}, {}, {}, (TimetableFault("table", ()),))
        parts = data
        self._only(parts, PARTS, ())
        weekly = self._week(parts.get("weekly"))
        years = self._years(self._mapping(parts.get("years") or {}, ("years",)))
        shifts = self._roster(self._mapping(parts.get("shifts") or {}, ("shifts",)))
        return Timetable(weekly, years, shifts, tuple(self.faults))

    def _note(self, key: str, where: Place, **facts: Any) -> None:
        self.faults.append(TimetableFault(key, where, **facts))

    def _week(self, data: object) -> dict[int, tuple[Span, ...]]:
        before = len(self.faults)
        week = self._mapping(data, ("weekly",))
        for name in week:
            if name not in WEEKDAYS:
                self._note("weekday", ("weekly", str(name)), name=str(name))
        weekly = {
            WEEKDAYS.index(name): self._spans(spans, ("weekly", name))
            for name, spans in week.items()
            if name in WEEKDAYS
        }
        # Of a week that could not be read in full nobody can say that it never opens.
        if len(self.faults) == before and not any(weekly.values()):
            self._note("never_opens", ("weekly",))
        return weekly

    def _years(self, data: Mapping[Any, Any]) -> dict[int, YearTable]:
        found: dict[int, YearTable] = {}
        for key, table in data.items():
            # JSON has no other keys than texts.
            if not (isinstance(key, int | str) and re.fullmatch(r"[12]\d{3}", str(key), re.ASCII)):
                self._note("year", ("years", str(key)), year=str(key))
            elif int(key) in found:
                self._note("year_twice", ("years", int(key)), year=int(key))
            else:
                found[int(key)] = self._year(int(key), self._mapping(table, ("years", int(key))))
        return found

    def _year(self, year: int, table: Mapping[Any, Any]) -> YearTable:
        where: Place = ("years", year)
        self._only(table, ("source", "days"), where)
        source = _line(table.get("source"))
        if not source:
            self._note("source", where, year=year)
        rows: list[SpecialRow] = []
        days = table.get("days") or []
        if not isinstance(days, list | tuple):
            self._note("table", (*where, "days"))
            days = []
        taken: set[date] = set()
        for place, given in enumerate(days):
            row = self._row(year, given, (*where, "days", place))
            if row is None:
                continue
            twice = next((day for day in row.days() if day in taken), None)
            if twice is not None:
                self._note("twice", (*where, "days", place), day=twice.isoformat())
                continue
            taken.update(row.days())
            rows.append(row)
        return YearTable(source, tuple(rows))

    def _row(self, year: int, given: object, where: Place) -> SpecialRow | None:
        before = len(self.faults)
        row = self._mapping(given, where)
        if len(self.faults) > before:
            return None
        self._only(row, _ROW, where)
        name = _line(row.get("name"))
        if not name:
            self._note("name", where)
        kind = str(row.get("kind") or "")
        if kind not in tuple(DayKind):
            self._note("kind", where, kind=kind)
        first = self._day(row.get("from", row.get("day")), where)
        last = self._day(row["to"], where) if "to" in row else first
        if first and last and first > last:
            self._note("reversed", where, first=first.isoformat(), last=last.isoformat())
        elif first and last and {first.year, last.year} != {year}:
            outside = last if first.year == year else first
            self._note("outside", where, day=outside.isoformat(), year=year)
        spans = self._spans(row["spans"], where) if "spans" in row else None
        if kind == DayKind.REST and spans:
            self._note("rest_hours", where)
        if len(self.faults) > before or first is None or last is None:
            return None
        return SpecialRow(first, last, SpecialDay(DayKind(kind), name, spans))

    def _roster(self, data: Mapping[Any, Any]) -> dict[date, tuple[Span, ...]]:
        found: dict[date, tuple[Span, ...]] = {}
        for key, spans in data.items():
            where: Place = ("shifts", str(key))
            day = self._day(key, where)
            if day is not None and day in found:
                self._note("twice", where, day=day.isoformat())
            elif day is not None:
                found[day] = self._spans(spans, where)
        return found

    def _spans(self, data: object, where: Place) -> tuple[Span, ...]:
        if not isinstance(data, list | tuple) or not all(isinstance(text, str) for text in data):
            self._note("spans", where, text=str(data))
            return ()
        found: list[Span] = []
        for text in data:
            try:
                found.append(Span.parse(text))
            except ValueError:
                self._note("span", where, text=text)
        return tuple(found)

    def _day(self, value: object, where: Place) -> date | None:
        # A database gives text where YAML has already made a date of it. A datetime is a date to
        # isinstance() too, and carries a zone question this table must not raise.
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return date.fromisoformat(value)  # type: ignore[arg-type]
        except (ValueError, TypeError):
            if value is None or value == "":
                self._note("day_missing", where)
            else:
                self._note("day", where, day=str(value))
            return None

    def _mapping(self, data: object, where: Place) -> Mapping[Any, Any]:
        if not isinstance(data, Mapping):
            self._note("table", where)
            return {}
        return data

    def _only(self, data: Mapping[Any, Any], known: Iterable[str], where: Place) -> None:
        for name in data:
            if name not in known:
                self._note("unknown", where, name=str(name))


def _since_midnight(clock: time) -> timedelta:
    return datetime.combine(date.min, clock) - datetime.combine(date.min, time(0))


def _line(value: object) -> str:
    return " ".join(str(value if value is not None else "").split())
