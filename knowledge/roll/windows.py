"""When voters may look up: the lookup windows of the calendar, in Beijing days; closed at other times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import elections
from knowledge.calendar import DateKind, KeyDate
from office.hours import beijing_day

OLDEST_ROLL = timedelta(days=366)
"""A roll made longer than this before election day is of another election; elections are years apart."""


async def known(session: AsyncSession, now: datetime) -> tuple[list[KeyDate], date | None]:
    """The lookup windows of the election in hand, and its day if it is fixed."""
    dates = await elections.spans(session, now)
    day = dates.get(DateKind.DAY)
    return dates.get(DateKind.LOOKUP, []), day[0].first if day else None


def current(windows: Sequence[KeyDate], now: datetime) -> KeyDate | None:
    """The window in which `now` lies; its first and its last day are part of it."""
    today = beijing_day(now)
    return next((window for window in windows if window.first <= today <= window.last), None)


def coming(windows: Sequence[KeyDate], now: datetime) -> KeyDate | None:
    """The next window that has not begun yet."""
    today = beijing_day(now)
    return min(
        (window for window in windows if window.first > today), key=lambda window: window.first, default=None
    )
