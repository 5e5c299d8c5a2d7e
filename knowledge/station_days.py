"""Stations that are open on other days than those that the calendar gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.milestones import Dates, K, KeyDate
from knowledge.opening import Hours, days_of, weekday_numbers
from knowledge.stations import Station, StationKind

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stray:
    """A station whose hours do not fit the calendar, by its row, its kind and its code."""

    station_id: int
    kind: StationKind
    code: str
    name: str


async def strays(session: AsyncSession, dates: Dates) -> list[Stray]:
    """The shown stations whose hours do not fit these dates, by kind and code.

    A polling station has to be open on every voting day, a registration station on at least one day of a
    window. Whose hours nobody has entered, and what has no date yet, contradicts nothing.
    """
    rows = await session.scalars(select(Station).where(Station.hidden.is_(False)).order_by(Station.code))
    found = [
        Stray(row.id, row.kind, row.code, row.name) for row in rows if row.hours and not fits(row, dates)
    ]
    return sorted(found, key=lambda one: one.kind is StationKind.REGISTRATION)


def fits(station: Station, dates: Dates) -> bool:
    """Whether a station's hours agree with the dates that concern its kind."""
    if station.kind is StationKind.POLLING:
        return all(_open_on(station.hours, day) for day in _days(dates.get(K.VOTING, ())))
    windows = dates.get(K.REGISTRATION, [])
    return not windows or any(_open_on(station.hours, day) for day in _days(windows))


def _days(spans: Sequence[KeyDate]) -> Iterable[date]:
    return (one.first + DAY * ahead for one in spans for ahead in range((one.last - one.first).days + 1))


def _open_on(hours: Hours, day: date) -> bool:
    return any(
        first <= day <= last and row["spans"] and day.isoweekday() in weekday_numbers(row["weekdays"])
        for row in hours
        for first, last in [days_of(row)]
    )
