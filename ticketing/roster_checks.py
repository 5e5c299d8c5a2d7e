"""What is said of a roster before it is in force: gaps, double booking, no leader, who does how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from knowledge.election import Election
from office.hours import OfficeHours, moment
from office.shifts import DutyShift, ShiftName
from office.timetable import DAY, DayKind, Span

MIDDAY: Final = timedelta(hours=12)
EVENING: Final = timedelta(hours=17, minutes=30)
# Words with which a calendar promises weekends: 「9:00–17:00（含双休日）」.
WEEKEND_WORDS: Final = ("双休日", "周末", "每天", "每日")
# Differences in these are told one by one; the rest says which shift it is.
TOLD: Final = ("name", "leader_id", "officer_id", "standby_id", "phone", "place", "duty", "emergency", "note")


@dataclass(frozen=True, slots=True, order=True)
class Stint:
    """A shift as a value: of a roster that is prepared, or of one in force (then with its row number)."""

    day: date
    opens: str
    closes: str
    officer_id: int
    name: ShiftName = ShiftName.WHOLE_DAY
    leader_id: int = 0
    standby_id: int = 0
    phone: str = ""
    place: str = ""
    duty: str = ""
    emergency: str = ""
    note: str = ""

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """From the JSON values of a prepared roster."""
        return cls(**{**row, "day": date.fromisoformat(row["day"]), "name": ShiftName(row["name"])})

    @classmethod
    def of_shift(cls, shift: DutyShift) -> Self:
        """From a shift in force."""
        return cls(
            shift.day, shift.opens, shift.closes, shift.officer_id, shift.name,
            shift.leader_id or 0, shift.standby_id or 0,
            shift.phone, shift.place, shift.duty, shift.emergency, shift.note,
        )  # fmt: skip

    @property
    def row(self) -> dict[str, Any]:
        return {**asdict(self), "day": self.day.isoformat(), "name": self.name.value}

    @property
    def span(self) -> Span:
        return Span.parse(f"{self.opens}-{self.closes}")

    @property
    def people(self) -> tuple[int, ...]:
        return tuple(person for person in (self.officer_id, self.standby_id) if person)


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Hours of a day in which somebody is promised to be there and nobody is on duty."""

    day: date
    opens: timedelta
    closes: timedelta

    @property
    def span(self) -> str:
        return f"{_clock(self.opens)}–{_clock(self.closes)}"

    @property
    def part(self) -> str:
        """Which part of the day it takes up: `whole`, `morning`, `afternoon`, `evening`, else `hours`."""
        if self.opens < MIDDAY and self.closes > MIDDAY + timedelta(hours=1):
            return "whole"
        if self.closes <= MIDDAY + timedelta(hours=1):
            return "morning"
        return "evening" if self.opens >= EVENING else "afternoon"


def promised_days(election: Election | None, first: date, last: date) -> set[date]:
    """The weekend days from `first` to `last` on which the calendar promises that somebody is there."""
    found: set[date] = set()
    for window in election.windows if election else ():
        if any(word in window.note for word in WEEKEND_WORDS):
            begin, end = max(window.first, first), min(window.last, last)
            days = [begin + ahead * DAY for ahead in range((end - begin).days + 1)]
            found.update(day for day in days if day.weekday() >= 5)
    return found


def gaps(plain: OfficeHours, on: Mapping[date, Sequence[Span]], promised: Collection[date]) -> Iterator[Gap]:
    """The gaps on days that have shifts and on promised ones, in order.

    `plain` is the timetable without duty shifts. On a day with shifts its ordinary hours have to be covered,
    because the shifts take their place; a promised weekend day owes the hours of an ordinary workday. Lunch
    is no gap, and neither is a weekend evening.
    """
    workday = next((plain.weekly[day] for day in range(7) if plain.weekly.get(day)), ())
    for day in sorted({*on, *promised}):
        owed = plain.spans_on(day) or (workday if day in promised else ())
        there = on.get(day, ())
        for span in owed:
            yield from (Gap(day, *piece) for piece in _uncovered(span, there))


def _uncovered(owed: Span, there: Sequence[Span]) -> Iterator[tuple[timedelta, timedelta]]:
    at = owed.opens
    for span in sorted(there, key=lambda span: span.opens):
        if span.closes <= at or span.opens >= owed.closes:
            continue
        if span.opens > at:
            yield at, span.opens
        at = max(at, span.closes)
    if at < owed.closes:
        yield at, owed.closes


def twice(stints: Sequence[Stint], beside: Sequence[Stint] = ()) -> list[tuple[int, Stint, Stint]]:
    """Who is booked twice at the same time, with both shifts; `beside` are shifts that stay as they are."""
    booked: dict[tuple[int, date], list[tuple[Stint, bool]]] = defaultdict(list)
    for new, some in ((True, stints), (False, beside)):
        for stint in some:
            for person in stint.people:
                booked[person, stint.day].append((stint, new))
    found = []
    for (person, _), own in booked.items():
        for place, (one, new) in enumerate(own):
            found += [
                (person, one, other)
                for other, other_new in own[place + 1 :]
                if (new or other_new) and overlap(one, other)
            ]
    return sorted(found)


def overlap(one: Stint | DutyShift, other: Stint | DutyShift) -> bool:
    """Whether two shifts share a moment; one that ends when the other begins does not."""
    return one.day == other.day and one.span.opens < other.span.closes and other.span.opens < one.span.closes


def leaderless(stints: Iterable[Stint]) -> list[date]:
    """The days on which no shift has a leader."""
    days: dict[date, bool] = {}
    for stint in stints:
        days[stint.day] = days.get(stint.day, False) or bool(stint.leader_id)
    return sorted(day for day, led in days.items() if not led)


@dataclass(frozen=True, slots=True)
class Share:
    """What one person does of a roster; being standby is counted apart."""

    person_id: int
    shifts: int
    weekends: int
    standbys: int
    hours: float


def fairness(stints: Iterable[Stint], plain: OfficeHours) -> list[Share]:
    """Shifts and weekend shifts for each person, most shifts first; a make-up Saturday is no weekend."""
    counts: dict[int, list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    for stint in stints:
        mine = counts[stint.officer_id]
        mine[0] += 1
        mine[1] += is_weekend(stint.day, plain)
        mine[3] += (stint.span.closes - stint.span.opens).total_seconds() / 3600
        if stint.standby_id:
            counts[stint.standby_id][2] += 1
    shares = [Share(who, int(a), int(b), int(c), round(d, 1)) for who, (a, b, c, d) in counts.items()]
    return sorted(shares, key=lambda share: (-share.shifts, -share.weekends, share.person_id))


def is_weekend(day: date, plain: OfficeHours) -> bool:
    """Whether this is a Saturday or Sunday that is not worked in exchange for a holiday (调休)."""
    special = plain.special.get(day)
    return day.weekday() >= 5 and not (special is not None and special.kind is DayKind.MAKE_UP)


@dataclass(frozen=True, slots=True)
class Changed:
    """A shift that stays on its day and hours, with what is different: field, before, after."""

    before: Stint
    after: Stint
    fields: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a roster would do to the shifts in force."""

    added: tuple[Stint, ...]
    removed: tuple[Stint, ...]
    changed: tuple[Changed, ...]
    same: int

    @property
    def any(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def difference(standing: Sequence[Stint], wanted: Sequence[Stint]) -> Difference:
    """One shift is another changed if day and hours agree; of several such, with the same officer."""
    left, rest = list(standing), []
    same = 0
    for stint in wanted:
        if stint in left:
            left.remove(stint)
            same += 1
        else:
            rest.append(stint)
    added: list[Stint] = []
    changed: list[Changed] = []
    for stint in rest:
        there = [
            old for old in left if (old.day, old.opens, old.closes) == (stint.day, stint.opens, stint.closes)
        ]
        old = next((old for old in there if old.officer_id == stint.officer_id), there[0] if there else None)
        if old is None:
            added.append(stint)
            continue
        left.remove(old)
        fields = tuple(
            (field, getattr(old, field), getattr(stint, field))
            for field in TOLD
            if getattr(old, field) != getattr(stint, field)
        )
        changed.append(Changed(old, stint, fields))
    return Difference(tuple(sorted(added)), tuple(sorted(left)), tuple(changed), same)


def settled(
    there: Sequence[DutyShift], wanted: Sequence[Stint], now: datetime
) -> tuple[list[Stint], list[Stint]]:
    """The shifts that a roster leaves as they are, and what it wants beside them.

    What is over stays as it was, and no shift is added that would be over already. A shift whose officer came
    stays too, and takes the place of the one wanted for its hours, unless the roster has that person there.
    """
    rest = [stint for stint in wanted if moment(stint.day, stint.span.closes) > now]
    kept: list[Stint] = []
    for shift in there:
        if moment(shift.day, shift.span.closes) <= now:
            kept.append(Stint.of_shift(shift))
        elif shift.signed_in_at is not None and moment(shift.day, shift.span.opens) <= now:
            same = [stint for stint in rest if _same_hours(stint, shift)]
            if any(shift.signed_in_by_id in stint.people for stint in same):
                continue
            kept.append(Stint.of_shift(shift))
            others = {other.officer_id for other in there if _same_hours(other, shift)}
            instead = next((stint for stint in same if stint.officer_id not in others), None)
            if instead is not None:
                rest.remove(instead)
    return kept, rest


def _same_hours(one: Stint | DutyShift, other: Stint | DutyShift) -> bool:
    return (one.day, one.opens, one.closes) == (other.day, other.opens, other.closes)


def _clock(since_midnight: timedelta) -> str:
    minutes = int(since_midnight.total_seconds() // 60)
    return f"{minutes // 60}:{minutes % 60:02}"
