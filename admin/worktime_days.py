"""Working time as pages show it: days with their hours and marks, and what differs between two timetables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from admin import times
from admin.pages import Desk
from office import worktime
from office.changes import Change, ChangeState
from office.hours import OfficeHours, beijing_day
from office.timetable import WEEKDAYS, DayKind, Span, SpecialRow, Timetable

MOST_DAYS = 40
TONES = {DayKind.REST: "neutral", DayKind.MAKE_UP: "active", DayKind.WORK: "info"}


def hours_words(desk: Desk, hours: OfficeHours, day: date) -> str:
    """8:30–11:30、13:30–17:30, or that nobody is there."""
    return desk.t("list.comma").join(map(str, hours.spans_on(day))) or desk.t("hours.off")


def marks(desk: Desk, hours: OfficeHours, day: date) -> list[dict[str, str]]:
    """Why a day has its hours, where it is not for the weekday alone: words and tone."""
    found: list[dict[str, str]] = []
    if day in hours.shifts:
        found.append({"words": desk.t("hours.duty"), "tone": "info"})
    special = hours.special.get(day)
    if special is not None:
        kind = desk.t(f"hours.kind.{special.kind.value}")
        words = special.name if kind in special.name else desk.t("hours.named", name=special.name, kind=kind)
        found.append({"words": words, "tone": TONES[special.kind]})
    return found


def day_cell(desk: Desk, hours: OfficeHours, day: date) -> dict[str, Any]:
    """One day: its name, its hours, its marks."""
    language = desk.frame.language
    return {
        "iso": day.isoformat(),
        "day": times.short_day(day, language),
        "year": day.year,
        "weekday": desk.t(f"hours.weekday.{day.isoweekday()}"),
        "spans": [str(span) for span in hours.spans_on(day)],
        "hours": hours_words(desk, hours, day),
        "marks": marks(desk, hours, day),
        "no_table": not hours.has_year(day.year),
    }


def cells(desk: Desk, hours: OfficeHours, first: date, count: int, today: date) -> list[dict[str, Any]]:
    """`count` days from `first` on; fewer at the end of all days."""
    last = min(count, (date.max - first).days)
    days = [first + timedelta(days=ahead) for ahead in range(last)]
    return [day_cell(desk, hours, day) | {"today": day == today} for day in days]


def week_lines(desk: Desk, table: Timetable) -> list[dict[str, Any]]:
    """The weekdays with their hours."""
    return [
        {
            "weekday": desk.t(f"hours.weekday.{number + 1}"),
            "hours": desk.t("list.comma").join(map(str, table.weekly.get(number, ()))) or desk.t("hours.off"),
        }
        for number in range(len(WEEKDAYS))
    ]


def year_table(desk: Desk, table: Timetable, year: int) -> dict[str, Any]:
    """A year's special days, in the order of the days."""
    rows = sorted(table.years[year].rows, key=lambda row: row.first)
    return {"year": year, "source": table.years[year].source, "rows": [_row(desk, row) for row in rows]}


def _row(desk: Desk, row: SpecialRow) -> dict[str, str]:
    language, special = desk.frame.language, row.special
    days = [times.short_day(row.first, language)]
    if row.last != row.first:
        days.append(times.short_day(row.last, language))
    if special.kind is DayKind.REST:
        hours = desk.t("hours.off")
    elif special.spans is None:
        hours = desk.t("hours.as_usual")
    else:
        hours = desk.t("list.comma").join(map(str, special.spans)) or desk.t("hours.off")
    return {
        "days": desk.t("hours.days", first=days[0], last=days[1]) if len(days) == 2 else days[0],
        "weekday": desk.t(f"hours.weekday.{row.first.isoweekday()}") if len(days) == 1 else "",
        "kind": desk.t(f"hours.kind.{special.kind.value}"),
        "tone": TONES[special.kind],
        "name": special.name,
        "hours": hours,
    }


async def on_duty(desk: Desk, change: Change) -> Mapping[date, tuple[Span, ...]]:
    """The published roster from today on, for the comparison of a change that waits or was signed.

    Empty for one that was dropped or undone: it is not the roster that keeps it from holding.
    """
    if change.state not in (ChangeState.PROPOSED, ChangeState.SIGNED):
        return {}
    today = beijing_day(desk.now)
    found = await worktime.rostered(desk.session, now=desk.now)
    return {day: spans for day, spans in found.items() if day >= today}


def compared(
    desk: Desk, before: Timetable, after: Timetable, today: date, roster: Mapping[date, tuple[Span, ...]]
) -> dict[str, Any]:
    """What changes: in the ordinary week, and on each day that has more of its own than its weekday.

    Days gone by are only counted, and so are plain days that follow the week. `roster` are the days of the
    published one: `rostered` says in words for which of them a shift is changed in vain.
    """
    old, new = OfficeHours.of(before), OfficeHours.of(after)
    years = {today.year, today.year + 1, *before.years, *after.years}
    span = date(min(years), 1, 1), date(max(years), 12, 31)
    days = list(worktime.differing_days(old, new, *span))
    plain = {day for day in days if not any(_own(hours, day) for hours in (old, new))}
    ahead = [day for day in days if day >= today and day not in plain]
    return {
        "week": [
            {"weekday": was["weekday"], "before": was["hours"], "after": becomes["hours"]}
            for was, becomes in zip(week_lines(desk, before), week_lines(desk, after), strict=True)
            if was["hours"] != becomes["hours"]
        ],
        "days": [
            {"before": day_cell(desk, old, day), "after": day_cell(desk, new, day)}
            for day in ahead[:MOST_DAYS]
        ],
        "more": max(0, len(ahead) - MOST_DAYS),
        "rostered": _rostered(desk, [day for day in ahead if _shift(old, day) != _shift(new, day)], roster),
        "plain": sum(day >= today for day in plain),
        "past": sum(day < today for day in days),
        "sources": [
            {
                "year": year,
                "before": before.years[year].source if year in before.years else "",
                "after": after.years[year].source if year in after.years else "",
            }
            for year in sorted({*before.years, *after.years})
            if before.years.get(year) is None
            or after.years.get(year) is None
            or before.years[year].source != after.years[year].source
        ],
        "same": before.content() == after.content(),
    }


def _rostered(desk: Desk, days: list[date], roster: Mapping[date, tuple[Span, ...]]) -> list[str]:
    hours = OfficeHours({}, shifts=roster)
    return [
        desk.t(
            "hours.rostered",
            day=day.isoformat(),
            weekday=desk.t(f"hours.weekday.{day.isoweekday()}"),
            hours=hours_words(desk, hours, day),
        )
        for day in days
        if day in roster
    ]


def _shift(hours: OfficeHours, day: date) -> tuple[Span, ...] | None:
    return hours.shifts.get(day)


def _own(hours: OfficeHours, day: date) -> bool:
    return day in hours.shifts or day in hours.special
