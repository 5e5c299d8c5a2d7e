"""The working time in force: what the office signed last, or the shipped table until it has signed one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import changes, shifts, timetable, timetable_files, units
from office.changes import Change, ChangeKind, ChangeState
from office.errors import Conflict, Invalid
from office.hours import OfficeHours, beijing_day
from office.staff import Staff
from office.timetable import Span, Timetable

SUBJECT = "hours"
LAST_QUARTER = 10
SAMPLE = "示例数据"
"""With this begins the source of a year's table that is only a sample."""


async def hours(session: AsyncSession, *, now: datetime) -> OfficeHours:
    """The working time that holds today, with the hours of the duty shifts of the office's own roster."""
    plain = OfficeHours.of(await in_force(session, now=now))
    on_duty = await rostered(session, now=now)
    return replace(plain, shifts={**plain.shifts, **on_duty}) if on_duty else plain


async def rostered(session: AsyncSession, *, now: datetime) -> dict[date, tuple[Span, ...]]:
    """The days of the office's published roster with its hours; a timetable's do not count on them."""
    office = await units.election_office(session)
    return await shifts.opened(session, office.id, now=now)


async def in_force(session: AsyncSession, *, now: datetime) -> Timetable:
    """The timetable that holds today."""
    change = await signed(session, now=now)
    return of_change(change)


async def signed(session: AsyncSession, *, now: datetime) -> Change | None:
    """The change whose timetable holds today; None while the shipped one does."""
    return await changes.in_force(session, ChangeKind.HOURS, SUBJECT, beijing_day(now))


def of_change(change: Change | None) -> Timetable:
    """What a change puts in force; the shipped timetable for none. Raises its first fault."""
    found = timetable.read(change.content) if change else timetable_files.shipped()
    if found.faults:
        raise found.faults[0]
    return found


async def history(session: AsyncSession, *, limit: int = 20) -> list[Change]:
    """The changes of the working time, newest first; a proposal that waits is among them."""
    rows = await session.scalars(
        select(Change)
        .where(Change.kind == ChangeKind.HOURS, Change.subject == SUBJECT)
        .order_by(Change.number.desc())
        .limit(limit)
    )
    return list(rows)


def waiting(history: list[Change]) -> Change | None:
    """The proposal among them that waits for a signature."""
    return next((change for change in history if change.state is ChangeState.PROPOSED), None)


async def propose(
    session: AsyncSession, proposed: Timetable, *, basis: str, seen: int, actor: Staff, now: datetime
) -> Change:
    """Propose a timetable for the whole office; the moment a second person signs it, promises count by it.

    `seen`: row number of the change it was made from, 0 for the shipped table. Raises `NotPermitted`;
    `Invalid("hours_faulty")` for a timetable with faults, `Invalid("hours_unchanged")` for the one that
    holds; `Conflict("hours_overtaken")` if another one has been signed since; what `changes.propose` raises.
    """
    if proposed.faults:
        raise Invalid("hours_faulty", n=len(proposed.faults))
    present = await signed(session, now=now)
    if seen != (present.id if present else 0):
        raise Conflict("hours_overtaken")
    content: dict[str, Any] = proposed.content()
    if content == of_change(present).content():
        raise Invalid("hours_unchanged")
    office = await units.election_office(session)
    return await changes.propose(
        session, ChangeKind.HOURS, SUBJECT, content, basis=basis, scope=office, actor=actor, now=now
    )


def missing_years(hours: OfficeHours, today: date) -> tuple[int, ...]:
    """Which of this year and the next have no table: their holidays count as plain weekdays."""
    return tuple(year for year in (today.year, today.year + 1) if not hours.has_year(year))


def sample_years(table: Timetable) -> tuple[int, ...]:
    """The years whose table still says that it is only a sample, signed or not."""
    return tuple(year for year, given in sorted(table.years.items()) if given.source.startswith(SAMPLE))


def pressing_years(hours: OfficeHours, today: date, promised: date) -> tuple[int, ...]:
    """Of the missing years those that matter already: the running one, and the next one in the last quarter
    or as soon as `promised`, the day for which a question asked now would be promised, lies in it."""
    return tuple(
        year
        for year in missing_years(hours, today)
        if year == today.year or today.month >= LAST_QUARTER or promised.year >= year
    )


def differing_days(before: OfficeHours, after: OfficeHours, first: date, last: date) -> Iterator[date]:
    """The days from `first` to `last`, both included, whose hours or whose names change."""
    for ahead in range((last - first).days + 1):
        day = first + timedelta(days=ahead)
        if (
            before.spans_on(day) != after.spans_on(day)
            or before.special.get(day) != after.special.get(day)
            or (day in before.shifts) != (day in after.shifts)
        ):
            yield day
