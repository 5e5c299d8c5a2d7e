"""Waking somebody: an urgent question that comes while nobody is on duty reaches the standby officer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import notices
from office.hours import BEIJING, beijing_day, moment
from office.shifts import DutyShift
from office.timetable import DAY
from office.units import Unit
from ticketing import leading
from ticketing.records import Ticket


async def urgent_outside_duty(session: AsyncSession, ticket: Ticket, unit: Unit, *, now: datetime) -> None:
    """Tell the standby officer of an urgent ticket; without a roster the leaders.

    Standby (备班) is whom the shift names that began last, today or yesterday, else the one that begins next.
    """
    person = await _standby(session, unit, now=now)
    people = [person] if person else [leader.id for leader in await leading.leaders(session, unit, now=now)]
    due = f"{ticket.due_at.astimezone(BEIJING):%m-%d %H:%M}"
    for number in people:
        await notices.tell(
            session, number, "urgent_outside_duty", {"no": ticket.ticket_no, "due": due},
            key=f"urgent_outside_duty:{ticket.id}", subject=f"ticket:{ticket.id}", now=now,
        )  # fmt: skip


async def _standby(session: AsyncSession, unit: Unit, *, now: datetime) -> int | None:
    above = [int(part) for part in unit.path.strip(".").split(".")]
    rows = await session.scalars(
        select(DutyShift)
        .where(DutyShift.unit_id.in_(above), DutyShift.withdrawn_at.is_(None))
        .where(DutyShift.day >= beijing_day(now) - DAY)
        .order_by(DutyShift.day, DutyShift.opens, DutyShift.id)
        .limit(60)
    )
    begun: list[DutyShift] = []
    ahead: list[DutyShift] = []
    for shift in rows:
        (begun if moment(shift.day, shift.span.opens) <= now else ahead).append(shift)
    nearest = begun[-1:] or ahead[:1]
    return (nearest[0].standby_id or nearest[0].officer_id) if nearest else None
